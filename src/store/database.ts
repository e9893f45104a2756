import { Kysely, PostgresDialect, sql, type Generated, type RawBuilder } from 'kysely';
import pg, { type Pool, type PoolConfig } from 'pg';
import type { Finding } from '../detectors/types.js';
import type { Severity } from '../events/types.js';
import type { Envelope } from '../message/envelope.js';
import type { TraceId } from '../message/trace-id.js';
import type { Group } from '../rules/types.js';
import type { Log } from '../telemetry/log.js';
import { messageOf, StoreError } from './errors.js';
import { toText } from './json.js';
import { migrate } from './migrate.js';
import type {
  DeliveryRecord,
  JournalDecision,
  JournalEntry,
  LedgerEntry,
  NotificationState,
  QuarantineRelease,
  QuarantineState,
} from './types.js';

/** A value as JSON brings it back: dates are texts. */
export type Stored<T> = T extends Date
  ? string
  : T extends string | number | boolean | null | undefined
    ? T
    : { readonly [K in keyof T]: Stored<T[K]> };

export interface Tables {
  'gatepost.message': {
    id: TraceId;
    time: Date;
    message_id: string;
    entry: Stored<Omit<JournalEntry, 'deliveries'>>;
  };
  'gatepost.delivery': {
    seq: string;
    message: TraceId;
    recipient: string;
    item: string;
    state: DeliveryRecord['state'];
    hop: string;
    reply: string;
    time: Date;
  };
  'gatepost.quarantine': {
    id: TraceId;
    time: Date;
    node: string;
    envelope: Envelope;
    recipients: string[];
    subject: string;
    message_id: string;
    size: string;
    rules: string[];
    findings: Finding[];
    state: QuarantineState;
    decisions: JournalDecision[];
    releases: Stored<QuarantineRelease>[];
    claim: string | null;
    claimed: Date | null;
  };
  'gatepost.quarantine_size': { shard: number; items: string; bytes: string };
  'gatepost.rule_count': {
    rule: string;
    response: string;
    day: string;
    matched: string;
    decided: string;
    audited: string;
    last_hit: Date;
  };
  'gatepost.rule_known': { rule: string; first_seen: Date; last_seen: Date };
  'gatepost.quarantine_chunk': { id: TraceId; n: number; bytes: Buffer };
  'gatepost.notification': {
    id: string;
    kind: LedgerEntry['kind'];
    trace_id: TraceId | null;
    rule: string | null;
    recipient_group: Group | null;
    recipient: string;
    template: string;
    state: NotificationState;
    reason: string | null;
    attempts: number;
    message_id: string;
    last_reply: string | null;
    time: Date;
    next_attempt: Date | null;
    reopened_at: Date | null;
    summary: string | null;
  };
  'gatepost.event': EventRow;
  'gatepost.event_transition': EventRow & {
    seq: Generated<string>;
    id: string;
    change: 'raised' | 'resolved';
    recorded: Generated<Date>;
  };
  'gatepost.event_mail_mark': {
    /** Digest of a set of recipients. */
    recipients: string;
    version: number;
    seq: string;
    mail_seq: string;
    change_at: Date | null;
    day: string;
  };
  /** `mail` is jsonb, and written as a text. */
  'gatepost.event_mail': { id: string; time: Date; mail: string; settled: boolean };
}

interface EventRow {
  event: string;
  node: string;
  subject: string;
  severity: Severity;
  detail: string;
  first: Date;
  last: Date;
  last_success: Date | null;
  resolved_at: Date | null;
}

/** Connections to one PostgreSQL database. */
export interface Database {
  readonly pool: Pool;
  readonly db: Kysely<Tables>;
  /** Resolves when the database answers and its schema is the newest; tried anew at each call until it once was so. */
  ready(): Promise<void>;
  /** @throws StoreError `unavailable`, `read-only` */
  ping(): Promise<void>;
  /** Called when a connection breaks. */
  onLost(listener: () => void): void;
  close(): Promise<void>;
}

/** Longest that one statement may take, in ms. */
const STATEMENT_TIMEOUT = 30_000;

/** What all our connections have in common. The times guard against a server that takes connections and then says nothing. */
export function poolSettings(connection: PoolConfig): PoolConfig {
  return {
    connectionTimeoutMillis: 5000,
    statement_timeout: STATEMENT_TIMEOUT,
    query_timeout: STATEMENT_TIMEOUT + 5000,
    idle_in_transaction_session_timeout: 60_000,
    keepAlive: true,
    application_name: 'gatepost',
    ...connection,
  };
}

/** A pool whose lost connections are logged, and nothing more: the next query opens another. */
export function openPool(
  settings: PoolConfig,
  log: Log,
  PoolClass: typeof Pool = pg.Pool,
  onLost: () => void = () => undefined,
): Pool {
  const pool = new PoolClass(settings);
  const note = (error: Error): void => {
    log.debug({ reason: messageOf(error) }, 'a database connection was lost');
    onLost();
  };
  pool.on('error', note);
  // A client that is checked out has no listener of the pool: without one its loss would end the process.
  pool.on('connect', (client) => client.on('error', note));
  return pool;
}

/** Opens the database without contacting it. */
export function openDatabase(connection: PoolConfig, log: Log): Database {
  const listeners: (() => void)[] = [];
  // What a transaction sends without waiting goes in one piece.
  const pool = openPool({ max: 8, pipeline: true, ...poolSettings(connection) }, log, pg.Pool, () => {
    for (const listener of listeners) listener();
  });
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  let readiness: Promise<void> | undefined;

  async function prepare(): Promise<void> {
    let client;
    try {
      client = await pool.connect();
    } catch (error) {
      throw new StoreError('unavailable', `The database does not answer: ${messageOf(error)}`, { cause: error });
    }
    try {
      await migrate(client);
    } catch (error) {
      client.release(true);
      throw error;
    }
    client.release();
  }

  async function ready(): Promise<void> {
    readiness ??= prepare().catch((error: unknown) => {
      readiness = undefined;
      throw error;
    });
    await readiness;
  }

  return {
    pool,
    db,
    ready,
    ping: async () => {
      await ready();
      const { rows } = await pool.query<{ mode: string }>(`SELECT current_setting('transaction_read_only') AS mode`);
      if (rows[0]?.mode !== 'on') return;
      // Those of the time before a failover would stay with the server that is a standby now.
      while (pool.idleCount > 0) (await pool.connect()).release(true);
      throw new StoreError(
        'read-only',
        'The database takes no writes: it is a standby, or default_transaction_read_only is on',
      );
    },
    onLost: (listener) => void listeners.push(listener),
    close: async () => {
      await db.destroy();
      // A database that no query was built for has not taken hold of the pool.
      if (!pool.ending) await pool.end();
    },
  };
}

/** The rows with this Message-ID, by way of the index of both tables that have one. */
export function messageIdIs(messageId: string): RawBuilder<boolean> {
  const text = toText(messageId);
  return sql<boolean>`hashtextextended(message_id, 0) = hashtextextended(${text}, 0) AND message_id = ${text}`;
}
