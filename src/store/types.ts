import type { Finding } from '../detectors/types.js';
import type { Envelope } from '../message/envelope.js';
import type { TraceId } from '../message/trace-id.js';
import type { ModuleRun } from '../pipeline/types.js';
import type { AuditOutcome, Considered, Decision, Group } from '../rules/types.js';

/** How one recipient's delivery stands. */
export interface DeliveryRecord {
  readonly recipient: string;
  /** Item key: the trace ID, with `.n` where there are several copies. */
  readonly item: string;
  readonly state:
    | 'delivered'
    | 'spooled'
    | 'deferred'
    | 'refused'
    | 'discarded'
    | 'rejected'
    | 'failed'
    | 'quarantined'
    | 'released'
    | 'dropped';
  readonly hop: string;
  /** Last reply of the hop, or our own. */
  readonly reply: string;
  readonly time: Date;
}

/** The journal row of a message. */
export interface JournalEntry {
  readonly id: TraceId;
  readonly time: Date;
  readonly node: string;
  readonly client: string;
  readonly helo: string;
  readonly sender: string;
  readonly recipients: readonly string[];
  readonly subject: string;
  readonly messageId: string;
  readonly size: number;
  readonly findings: readonly Finding[];
  readonly modules: readonly ModuleRun[];
  readonly decisions: readonly JournalDecision[];
  readonly audit: readonly AuditOutcome[];
  readonly deliveries: readonly DeliveryRecord[];
  /** The SMTP reply that the client got. */
  readonly reply: string;
}

export interface JournalDecision {
  readonly recipient: string;
  readonly decision: Decision;
  readonly considered: readonly Considered[];
  readonly changes: readonly string[];
}

/** Written in batches; a bounded buffer while the store is away, then lines are counted as lost. */
export interface Journal {
  /** Never waits, never throws. */
  record(entry: JournalEntry): void;
  /** Adds to a message's deliveries, also of a message whose row is not written yet. */
  delivered(id: TraceId, records: readonly DeliveryRecord[]): void;
  /** Resolves when all that was recorded before is written, or has been counted as lost. */
  flush(): Promise<void>;
  find(id: TraceId): Promise<JournalEntry | undefined>;
  /** By the Message-ID field (without angle brackets); newest first. */
  findByMessageId(messageId: string): Promise<readonly JournalEntry[]>;
  readonly lost: number;
}

export type QuarantineState = 'stored' | 'releasing' | 'released';

export interface QuarantineItem {
  readonly id: TraceId;
  readonly time: Date;
  readonly node: string;
  readonly envelope: Envelope;
  /** Recipients whose rule demanded it. */
  readonly recipients: readonly string[];
  readonly subject: string;
  readonly messageId: string;
  readonly size: number;
  readonly rules: readonly string[];
  readonly findings: readonly Finding[];
  readonly state: QuarantineState;
}

export interface Quarantine {
  /** Resolves when the original is committed; rejects when it cannot be. Putting the same ID twice is putting it once. */
  put(item: QuarantineItem, bytes: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<void>;
  list(filter?: QuarantineFilter): Promise<readonly QuarantineItem[]>;
  get(id: TraceId): Promise<QuarantineItem | undefined>;
  /** The original bytes, in pieces. */
  read(id: TraceId): AsyncIterable<Buffer>;
  /** Moves from one of `from` to `to`; false when the item is in another state or gone. */
  transition(id: TraceId, from: readonly QuarantineState[], to: QuarantineState): Promise<boolean>;
  delete(id: TraceId): Promise<boolean>;
}

export interface QuarantineFilter {
  readonly rule?: string;
  readonly finding?: string;
  readonly sender?: string;
  readonly recipient?: string;
  readonly since?: Date;
  readonly until?: Date;
  readonly limit?: number;
}

export type NotificationState = 'queued' | 'sent' | 'folded' | 'suppressed' | 'failed';

/** One owed mail. Its identity is trace ID, template and address in lower case. */
export interface LedgerEntry {
  /** Job ID: derived from the identity. */
  readonly id: string;
  readonly kind: 'rule' | 'dsn' | 'notice' | 'event' | 'summary';
  readonly traceId?: TraceId;
  readonly rule?: string;
  readonly group?: Group;
  readonly to: string;
  readonly template: string;
  readonly state: NotificationState;
  /** Why it was suppressed or failed. */
  readonly reason?: string;
  readonly attempts: number;
  /** Message-ID field of the mail, without angle brackets. */
  readonly messageId: string;
  readonly lastReply?: string;
  readonly time: Date;
}

export interface Ledger {
  get(id: string): Promise<LedgerEntry | undefined>;
  /** Final states (`sent`, `suppressed`, `failed`) among the given job IDs. */
  settled(ids: readonly string[]): Promise<ReadonlySet<string>>;
  /** Inserts or updates; a final state is never overwritten. */
  put(entry: LedgerEntry): Promise<void>;
  ofMessage(id: TraceId): Promise<readonly LedgerEntry[]>;
  list(filter?: {
    readonly state?: NotificationState;
    readonly to?: string;
    readonly limit?: number;
  }): Promise<readonly LedgerEntry[]>;
}

/** PostgreSQL, the embedded one or one by URL. */
export interface Store {
  /** For people, without secrets. */
  readonly name: string;
  readonly journal: Journal;
  readonly quarantine: Quarantine;
  readonly ledger: Ledger;
  /** Resolves when the database answers. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
