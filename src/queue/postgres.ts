import type { EventEmitter } from 'node:events';
import { createPostgresBackend, Queue, runMigrations, Worker } from 'bullmq';
import type {
  JobProgress,
  PgNotification,
  PgPool,
  PgPoolClient,
  PostgresConnectionOptions as Connection,
  PostgresQueueBackend as Backend,
} from 'bullmq';
import type { Pool, PoolClient, PoolConfig, QueryResultRow } from 'pg';
import { openPool, poolSettings } from '../store/database.js';
import { codeOf, messageOf } from '../store/errors.js';
import type { Log } from '../telemetry/log.js';
import type { Driver, JobText } from './driver.js';
import { easeClaims } from './postgres-claims.js';

const SCHEMA = 'bullmq';
/** Times in ms. */
const PROBE = { text: 'SELECT 1', query_timeout: 2000 };

type PostgresQueue = Queue<JobText, unknown, string, JobText, unknown, string, Backend, Connection>;
type PostgresWorker = Worker<JobText, unknown, string, Backend, JobProgress, Connection>;

/** BullMQ on PostgreSQL: the store's, with connections of its own. @param connections at most; each worker keeps one for LISTEN */
export function postgresDriver(name: string, connection: PoolConfig, log: Log, connections = 16): Driver {
  const settings = poolSettings(connection);
  const pool = openPool(
    { ...settings, max: connections, connectionTimeoutMillis: 2000, options: `-c search_path=${SCHEMA}` },
    log,
  );
  // Each queue and each worker puts a listener on it.
  pool.setMaxListeners(0);
  const listeners: ((reason: string) => void)[] = [];
  pool.on('error', (error) => {
    migrated = false;
    for (const listener of listeners) listener(messageOf(error));
  });
  const shared = translateErrors(pool);
  /** Migrations are made anew after each break: the server that comes back may be another one. */
  let migrated = false;

  return {
    name,
    probe: async () => {
      if (migrated) {
        try {
          await pool.query(PROBE);
        } catch (error) {
          migrated = false;
          throw error;
        }
        return { emptied: false };
      }
      const client = await pool.connect();
      let sound = false;
      try {
        await runMigrations(client, SCHEMA);
        await easeClaims(client, SCHEMA, log);
        sound = true;
      } finally {
        client.release(!sound);
      }
      migrated = true;
      return { emptied: false };
    },
    reasonOf: messageOf,
    // PostgreSQL throws nothing away.
    unfit: () => Promise.resolve(undefined),
    onLost: (listener) => void listeners.push(listener),
    openQueue: async (queueName) => {
      const queue: PostgresQueue = new Queue(queueName, { connection: shared }, createPostgresBackend);
      queue.on('error', (error) => log.debug({ queue: queueName, reason: messageOf(error) }, 'job queue'));
      return await readied(queue);
    },
    openWorker: async (queueName, processor, options) => {
      const worker: PostgresWorker = new Worker(
        queueName,
        processor,
        { ...options, connection: shared },
        createPostgresBackend,
      );
      worker.on('error', (error) => log.debug({ queue: queueName, reason: messageOf(error) }, 'job worker'));
      return await readied(worker);
    },
    close: async () => await pool.end(),
  };
}

/** BullMQ remembers a failed first contact for ever: what could not be readied is closed, to be made anew. */
export async function readied<T>(made: T & { waitUntilReady(): Promise<unknown>; close(): Promise<void> }): Promise<T> {
  try {
    await made.waitUntilReady();
    return made;
  } catch (error) {
    made.close().catch(() => undefined);
    throw error;
  }
}

/**
 * The pool in the form that BullMQ takes, with the failures of connections put into the one form that it knows: it waits
 * before it tries again after ECONNREFUSED alone, and takes all others for an error of the job, or tries again without a
 * pause. As this form has no keep-alive setting (the pool has), idle workers look for work every 10 s, and not only once
 * an hour.
 */
function translateErrors(pool: Pool): PgPool {
  const emitter: EventEmitter = pool;
  const shared: PgPool = {
    query: async <R>(text: string, params: readonly unknown[] = []) =>
      await translated(pool.query<R & QueryResultRow>(text, [...params])),
    connect: async () => adaptClient(await translated(pool.connect())),
    end: async () => await pool.end(),
    on: (event: 'error' | 'connect', listener: ((error: Error) => void) | ((client: PgPoolClient) => void)) => {
      emitter.on(event, listener);
      return shared;
    },
    removeAllListeners: (event) => {
      emitter.removeAllListeners(event);
      return shared;
    },
  };
  return shared;
}

function adaptClient(client: PoolClient): PgPoolClient {
  const emitter: EventEmitter = client;
  const adapted: PgPoolClient = {
    query: async <R>(text: string, params: readonly unknown[] = []) =>
      await translated(client.query<R & QueryResultRow>(text, [...params])),
    on: (
      event: 'notification' | 'error' | 'end',
      listener: ((message: PgNotification) => void) | ((error: Error) => void) | (() => void),
    ) => {
      emitter.on(event, listener);
      return adapted;
    },
    removeListener: (event, listener) => {
      emitter.removeListener(event, listener);
      return adapted;
    },
    removeAllListeners: (event) => {
      emitter.removeAllListeners(event);
      // A client that dies after it was given up must not end the process.
      if (event === undefined || event === 'error') emitter.on('error', () => undefined);
      return adapted;
    },
    release: (destroy) => client.release(destroy),
  };
  return adapted;
}

async function translated<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!isConnectionTrouble(error)) throw error;
    throw Object.assign(new Error(messageOf(error), { cause: error }), { code: 'ECONNREFUSED' });
  }
}

const SYSTEM_CODES = new Set(
  'ECONNREFUSED ECONNRESET ENOENT EPIPE ETIMEDOUT EHOSTUNREACH ENETUNREACH EAI_AGAIN ENOTFOUND'.split(' '),
);

/** Whether a failure says nothing about the statement itself, so that the same may succeed later. */
export function isConnectionTrouble(error: unknown): boolean {
  const code = codeOf(error) ?? '';
  // 08: connection exceptions; 57P01 to 57P05: shutting down, starting, ...; 57014: timeout; 53: out of resources; 40: rolled back.
  if (SYSTEM_CODES.has(code) || /^(08|53|40)[0-9A-Z]{3}$|^57P0\d$|^57014$/.test(code)) return true;
  return /connection terminated|connection error|timeout exceeded when trying|query read timeout|not queryable/i.test(
    messageOf(error),
  );
}
