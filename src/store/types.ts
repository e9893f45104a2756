import type { EventMailStore, OwedEventMails } from './event-mail-types.js';
import type { NodeStore } from './node-types.js';
import type { KeptJob, NotificationBook, WebhookStore } from './notification-book-types.js';
import type { Finding } from '../detectors/types.js';
import type { Severity } from '../events/types.js';
import type { Envelope } from '../message/envelope.js';
import type { TraceId } from '../message/trace-id.js';
import type { ModuleRun } from '../pipeline/types.js';
import type { AuditOutcome, Considered, Decision, Group } from '../rules/types.js';
import type { SendingHolds } from './hold-types.js';
import type { SendingStore } from './sending-types.js';

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
  /** Rules before the deciding one that are not among `considered`: their addresses alone rule them out, or they are too many. */
  readonly omitted?: number;
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

/** `releasing`: claimed by a release that has not put it into a spool yet. */
export type QuarantineState = 'stored' | 'releasing' | 'released';

/** What a list of the quarantine shows. */
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

/** An item with its story. */
export interface QuarantineRecord extends QuarantineItem {
  /** Why it was put aside: the decision trace of `recipients`. */
  readonly decisions: readonly JournalDecision[];
  /** Oldest first. */
  readonly releases: readonly QuarantineRelease[];
}

export interface QuarantineRelease {
  /** Key of the spooled item. */
  readonly item: string;
  readonly time: Date;
  /** The node whose spool has it. */
  readonly node: string;
  readonly recipients: readonly string[];
}

export interface Quarantine {
  /**
   * Resolves when the original is committed; rejects when it cannot be. Putting the same ID again keeps the first bytes
   * and adds recipients, rules and decisions that were not there.
   */
  put(
    item: QuarantineItem & Partial<Pick<QuarantineRecord, 'decisions'>>,
    bytes: AsyncIterable<Buffer> | Iterable<Buffer>,
  ): Promise<void>;
  /** Rejects when nothing could be stored now; tries it with a row that is taken back. */
  probe(): Promise<void>;
  /** Newest first, 10,000 at most. */
  list(filter?: QuarantineFilter): Promise<readonly QuarantineItem[]>;
  /** As `list` without its limit, read in pages. */
  each(filter?: QuarantineFilter): AsyncIterable<QuarantineItem>;
  get(id: TraceId): Promise<QuarantineRecord | undefined>;
  /** The original bytes, in pieces. */
  read(id: TraceId): AsyncIterable<Buffer>;
  /**
   * Claims an item for a release: nothing else deletes it for an hour. A claim that was never completed is taken over.
   * @param again also when it has been released before
   * @returns false when it is gone, or has been released and `again` is not set
   */
  claim(id: TraceId, claim: string, again: boolean): Promise<boolean>;
  /** Gives a claim back; nothing when another has taken it over. */
  unclaim(id: TraceId, claim: string): Promise<void>;
  /**
   * The one moment in which a release is done: the item becomes `released`, and its journal has the records.
   * @returns false when the claim was lost or the item is gone: it must not go out then
   */
  released(id: TraceId, claim: string, release: QuarantineRelease): Promise<boolean>;
  /** Deletes an item; one that is just being released stays. */
  delete(id: TraceId): Promise<'deleted' | 'missing' | 'releasing'>;
  /** Number and sum of all originals; costs the same whatever their number. */
  total(): Promise<QuarantineTotal>;
}

export interface QuarantineTotal {
  readonly items: number;
  readonly bytes: number;
}

/** All that are given must hold. Texts may be masks with `*` and `?`; case does not matter. */
export interface QuarantineFilter {
  /** A trace ID or its beginning. */
  readonly id?: string;
  readonly rule?: string;
  /** A module, status, `module.status`, name, or the key of the response that it made fire. */
  readonly finding?: string;
  readonly sender?: string;
  readonly recipient?: string;
  readonly since?: Date;
  readonly until?: Date;
  readonly limit?: number;
}

/** What one pass of retention took away. */
export interface Deleted {
  readonly items: number;
  readonly bytes: number;
}

/** Deletes what is over its time, oldest first and in bounded batches. */
export interface Retention {
  /**
   * Runs the passes if no other node is at it; undefined when one is.
   * @param signal ends it between two batches
   */
  run(limits: RetentionLimits, signal?: AbortSignal): Promise<RetentionReport | undefined>;
}

export interface RetentionLimits {
  readonly now: Date;
  /** ms */
  readonly journalAge: number;
  /** ms */
  readonly quarantineAge: number;
  /** bytes */
  readonly quarantineSize: number;
}

export interface RetentionReport {
  /** Messages, deliveries and notifications. */
  readonly journal: number;
  readonly aged: Deleted;
  /** Deleted because the quarantine was over its size. */
  readonly oversize: Deleted;
}

/** Hits of a rule, or of one of its responses. */
export interface Hits {
  readonly matched: number;
  readonly decided: number;
  readonly audited: number;
}

export interface RuleHit extends Hits {
  readonly rule: string;
  /** Key of a response; empty for the rule itself. */
  readonly response: string;
}

export interface RuleCounts {
  readonly rule: string;
  readonly response: string;
  readonly last7: Hits;
  readonly last30: Hits;
  readonly total: Hits;
  readonly lastHit: Date;
}

/** Counters of rules: added up in memory, written in batches, so that counting costs a message next to nothing. */
export interface RuleCounters {
  /** Never waits, never throws. */
  count(hits: readonly RuleHit[], time: Date): void;
  /** Says which rules are in force: from the first time on they are known. Never waits, never throws. */
  know(rules: readonly string[]): void;
  /** Resolves when all that was counted before is written, or lost. */
  flush(): Promise<void>;
  counts(now: Date): Promise<readonly RuleCounts[]>;
  /** Since when each rule is known. */
  known(): Promise<ReadonlyMap<string, Date>>;
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
  /** Why it was suppressed or folded, or failed. */
  readonly reason?: string;
  readonly attempts: number;
  /** Message-ID field of the mail, without angle brackets. */
  readonly messageId: string;
  readonly lastReply?: string;
  readonly time: Date;
  /** When it is tried again, as far as that is known. */
  readonly nextAttempt?: Date;
  /** When a final state was last taken back: its lifetime counts from then. Never written by `put`. */
  readonly reopenedAt?: Date;
  /** ID of the summary that tells of it, where it was folded and there is one. Never written by `put`. */
  readonly summary?: string;
}

export interface Ledger {
  get(id: string): Promise<LedgerEntry | undefined>;
  /** Final states (`sent`, `suppressed`, `failed`, `folded`) among the given job IDs. */
  settled(ids: readonly string[]): Promise<ReadonlySet<string>>;
  /** Inserts or updates; a final state is never overwritten. */
  /** @param kept with a final state: what is needed to send it again */
  put(entry: LedgerEntry, kept?: KeptJob): Promise<void>;
  ofMessage(id: TraceId): Promise<readonly LedgerEntry[]>;
  list(filter?: {
    readonly state?: NotificationState;
    readonly to?: string;
    readonly limit?: number;
  }): Promise<readonly LedgerEntry[]>;
}

/** A condition of a node: raised, held, over. Its identity is event, node and subject. */
export interface EventCondition {
  /** Name in the registry of events; a database that newer nodes use may hold others. */
  readonly event: string;
  readonly node: string;
  /** What it is about; empty when there can be only one. */
  readonly subject: string;
  readonly severity: Severity;
  readonly detail: string;
  readonly first: Date;
  readonly last: Date;
  readonly lastSuccess?: Date;
  /** When it was over; absent while it holds. */
  readonly resolvedAt?: Date;
}

/** A condition began to hold, became more severe than it had been, or is over. */
export interface EventTransition {
  /** UUID: what is written twice stands once. */
  readonly id: string;
  readonly change: 'raised' | 'resolved';
  /** As it was then; of one that is over, with the worst severity that it had. */
  readonly condition: EventCondition;
}

export interface RecordedTransition extends EventTransition {
  /** Grows in the order in which transitions become visible, over all nodes: a reader misses none behind its mark. */
  readonly seq: number;
}

export interface EventStore {
  /**
   * Writes transitions in their order, and what is newly known of conditions that hold. Several nodes may report the
   * same condition: only what changes its state is recorded as a transition.
   */
  write(transitions: readonly EventTransition[], occurrences: readonly EventCondition[]): Promise<void>;
  /** Conditions that hold, oldest first; of one node or of all. */
  active(node?: string): Promise<readonly EventCondition[]>;
  /** Conditions that were over at that time or later, newest first; one that came several times stands several times. */
  resolved(since: Date, limit?: number): Promise<readonly EventCondition[]>;
  /** Transitions behind a mark, in their order. @param after `seq` of the last one that is known; 0 for all */
  transitions(after: number, limit?: number): Promise<readonly RecordedTransition[]>;
  /** `seq` of the newest transition; 0 when there is none. */
  lastTransition(): Promise<number>;
  /** Forgets what was over before that time. */
  prune(before: Date): Promise<void>;
}

/** PostgreSQL, the embedded one or one by URL. */
export interface Store {
  /** For people, without secrets. */
  readonly name: string;
  readonly journal: Journal;
  readonly quarantine: Quarantine;
  readonly ledger: Ledger;
  readonly events: EventStore;
  readonly eventMails: EventMailStore & OwedEventMails;
  /** The ledger for commands. */
  readonly notifications: NotificationBook;
  readonly webhooks: WebhookStore;
  readonly nodes: NodeStore;
  /** What workers ask before they send. */
  readonly sending: SendingStore;
  /** Which process has what in hand. */
  readonly holds: SendingHolds;
  readonly counters: RuleCounters;
  readonly retention: Retention;
  /** Resolves when the database answers. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
