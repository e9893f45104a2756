import { setTimeout as sleep } from 'node:timers/promises';
import type { PoolConfig } from 'pg';
import type { Config } from '../config/load.js';
import { silentLog, type Log } from '../telemetry/log.js';
import { openDatabase, type Database } from './database.js';
import { lockFolder } from './embedded/folder-lock.js';
import { findEmbedded, startEmbedded } from './embedded/start.js';
import { messageOf, StoreError } from './errors.js';
import { openEventMails } from './event-mails.js';
import { openEventStore } from './events.js';
import { openHolds } from './holds.js';
import { openJournal } from './journal.js';
import { openLedger } from './ledger.js';
import { openNotificationBook } from './notification-book.js';
import { openNodes } from './nodes.js';
import { openQuarantine } from './quarantine.js';
import { openRetention } from './retention.js';
import { openRuleCounters } from './rule-counters.js';
import { openSending } from './sending.js';
import type { Store } from './types.js';
import { openWebhookStore } from './webhook-calls.js';

/** A store, with what the job queue needs to work on the same PostgreSQL. */
export interface OpenStore extends Store {
  readonly connection: PoolConfig;
  /** Folder of the embedded server (data, socket, log); absent with a server by URL. */
  readonly embedded?: { readonly folder: string };
  /** Resolves when the database answers and its schema is there. */
  ready(): Promise<void>;
  /** Called when a connection to the database breaks. */
  onLost(listener: () => void): void;
}

/** What of the configuration the store looks at. */
export type StoreConfig = Pick<Config, 'store' | 'data'>;

/** How long a stop waits for the journal, in ms. */
const CLOSE_PATIENCE = 5000;
/** How long a command waits for a gateway or another command on the same data, in ms. */
const COMMAND_PATIENCE = 15_000;

/**
 * Opens the store of a gateway and takes its data folder: a second gateway on it is refused. With `store: embedded`
 * the server is started first. A server by URL may be down: the store is there all the same, and the schema is made at
 * the first contact.
 *
 * @param shared for one of several processes on a data folder that another holds (`holdStore`)
 * Close the job queue before the store: its workers do not survive their database.
 * @throws StoreError `in-use`, `cannot-start`
 */
export async function openStore(config: StoreConfig, log: Log, shared?: SharedData): Promise<OpenStore> {
  if (shared !== undefined) return await openShared(config, log, shared);
  if (config.store === 'embedded') {
    const server = await startEmbedded({ dataFolder: config.data, log });
    const store = assemble(
      'embedded PostgreSQL',
      server.connection,
      log,
      async () => await server.stop(),
      server.folder,
    );
    try {
      await store.ready();
    } catch (error) {
      await store.close();
      throw error;
    }
    return store;
  }
  const lock = await lockFolder(config.data, 'gateway');
  return byUrl(config.store, log, async () => await lock.release());
}

function byUrl(url: string, log: Log, afterwards: () => Promise<void>): OpenStore {
  const store = assemble(maskUrl(url), { connectionString: url }, log, afterwards);
  store
    .ready()
    .catch((error: unknown) =>
      log.warn({ store: store.name, reason: messageOf(error) }, 'the database does not answer yet'),
    );
  return store;
}

/** The process above several that share a data folder: it holds the folder, and runs the embedded server. */
export interface StoreHolder {
  /** After all those that use it have ended. */
  release(): Promise<void>;
}

/**
 * Takes a data folder for several processes, and starts the embedded server for them.
 * @param processes how many there are
 * @throws StoreError `in-use`, `cannot-start`
 */
export async function holdStore(config: StoreConfig, log: Log, processes: number): Promise<StoreHolder> {
  if (config.store === 'embedded') {
    const server = await startEmbedded({ dataFolder: config.data, log, clients: processes });
    return { release: async () => await server.stop() };
  }
  return await lockFolder(config.data, 'gateway');
}

/** What one of several processes opens its store by. */
export interface SharedData {
  /** The data folder of them all. */
  readonly data: string;
  /** Folder whose lock says that this process runs; made when it is not there. */
  readonly lock: string;
}

async function openShared(config: StoreConfig, log: Log, { data, lock: folder }: SharedData): Promise<OpenStore> {
  const lock = await lockFolder(folder, 'gateway');
  try {
    if (config.store !== 'embedded') return byUrl(config.store, log, async () => await lock.release());
    const found = await findEmbedded(data);
    if (typeof found === 'string')
      throw new StoreError('cannot-start', `The embedded database of ${data} does not run.`);
    return await whenReady(assemble('embedded PostgreSQL', found, log, async () => await lock.release()));
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/**
 * Opens the store for a command: by way of the embedded server of a running gateway, else by starting the server for as
 * long as the command lasts.
 * @returns undefined when there is no database yet
 * @throws StoreError `unavailable` when a server by URL does not answer
 */
export async function openStoreForCommand(config: StoreConfig, log: Log = silentLog()): Promise<OpenStore | undefined> {
  if (config.store !== 'embedded') {
    return await whenReady(assemble(maskUrl(config.store), { connectionString: config.store }, log, undefined));
  }
  const deadline = Date.now() + COMMAND_PATIENCE;
  for (;;) {
    try {
      return await openEmbeddedForCommand(config.data, log);
    } catch (error) {
      // A gateway that is just starting or stopping: its server is there in a moment, or the lock is.
      const passing = error instanceof StoreError && (error.code === 'in-use' || error.code === 'unavailable');
      if (!passing || Date.now() > deadline) throw error;
      await sleep(100);
    }
  }
}

async function openEmbeddedForCommand(data: string, log: Log): Promise<OpenStore | undefined> {
  const found = await findEmbedded(data);
  if (found === 'none') return undefined;
  if (found !== 'stopped') return await whenReady(assemble('embedded PostgreSQL', found, log, undefined));
  const server = await startEmbedded({ dataFolder: data, log, role: 'command', patience: 200 });
  return await whenReady(
    assemble('embedded PostgreSQL', server.connection, log, async () => await server.stop(), server.folder),
  );
}

async function whenReady(store: OpenStore): Promise<OpenStore> {
  try {
    await store.ready();
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}

function assemble(
  name: string,
  connection: PoolConfig,
  log: Log,
  afterwards: (() => Promise<void>) | undefined,
  folder?: string,
): OpenStore {
  const database: Database = openDatabase(connection, log);
  const journal = openJournal(database, log);
  const counters = openRuleCounters(database, log);
  let closing: Promise<void> | undefined;
  async function close(): Promise<void> {
    try {
      await Promise.all([journal.close(CLOSE_PATIENCE), counters.close(CLOSE_PATIENCE)]);
      await database.close();
    } finally {
      await afterwards?.();
    }
  }
  return {
    name,
    connection,
    ...(folder === undefined ? {} : { embedded: { folder } }),
    journal,
    quarantine: openQuarantine(database),
    ledger: openLedger(database),
    sending: openSending(database),
    holds: openHolds(database),
    counters,
    retention: openRetention(database),
    events: openEventStore(database),
    eventMails: openEventMails(database),
    notifications: openNotificationBook(database),
    webhooks: openWebhookStore(database),
    nodes: openNodes(database),
    ready: async () => await database.ready(),
    onLost: (listener) => database.onLost(listener),
    ping: async () => await database.ping(),
    close: async () => {
      closing ??= close();
      await closing;
    },
  };
}

/** A database's URL for people: without user and password. */
export function maskUrl(text: string): string {
  if (!URL.canParse(text)) return 'PostgreSQL';
  const { protocol, host, pathname } = new URL(text);
  return `${protocol}//${host}${pathname}`;
}
