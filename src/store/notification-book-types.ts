import type { EventMail } from './event-mail-types.js';
import type { Summary } from './sending-types.js';
import type { TraceId } from '../message/trace-id.js';
import type { LedgerEntry, NotificationState } from './types.js';

/** All that are given must hold. */
export interface NotificationFilter {
  readonly state?: NotificationState;
  readonly kind?: LedgerEntry['kind'];
  /** An address or a masked URL; case does not matter; may be a mask with `*` and `?`. */
  readonly to?: string;
  readonly traceId?: TraceId;
  /** Folded, and told of in that summary. */
  readonly summary?: string;
  readonly since?: Date;
  /** Only those behind it: ID of a notification. */
  readonly after?: string;
  readonly limit?: number;
}

/** A final state that somebody has taken back. */
export interface Reopening {
  readonly time: Date;
  readonly who: string;
  /** The state that it had, and what was known of it. */
  readonly was: NotificationState;
  readonly reason?: string;
  readonly attempts: number;
  readonly lastReply?: string;
}

/** What a worker needs to send one again: the queue of its job, and the job as JSON. */
export interface KeptJob {
  readonly queue: string;
  readonly job: string;
}

/** A job that is to be in its queue. */
export interface OpenJob extends KeptJob {
  readonly id: string;
}

export type RetryAnswer =
  /** A final state was taken back. */
  | 'reopened'
  /** It waits, and is tried at once. */
  | 'hurried'
  | 'missing'
  | 'sent'
  | 'folded'
  | 'suppressed'
  /** A DSN: it lies in the spool of its node. */
  | 'spooled'
  /** Nothing is kept that could be sent. */
  | 'gone';

/** The ledger for commands: asked, and asked to try again; for all nodes. */
export interface NotificationBook {
  /** Newest first, 10,000 at most. */
  list(filter?: NotificationFilter): Promise<readonly LedgerEntry[]>;
  get(id: string): Promise<LedgerEntry | undefined>;
  /** By the Message-ID of the notification, without angle brackets. */
  byMessageId(messageId: string): Promise<readonly LedgerEntry[]>;
  /** What a mail about events said, while that is kept. */
  eventMail(id: string): Promise<EventMail | undefined>;
  /** What a summary said, while that is kept. */
  summary(id: string): Promise<Summary | undefined>;
  /** When the next summary for an address is due; undefined where nothing waits for one. */
  summaryDue(address: string): Promise<Date | undefined>;
  /** Oldest first. */
  reopenings(id: string): Promise<readonly Reopening[]>;
  /**
   * Has one tried again: a final state is taken back, and that is recorded; one that waits is tried at once.
   * @param who for the record
   * @param again also one that was sent
   */
  retry(id: string, who: string, again: boolean, now: Date): Promise<RetryAnswer>;
  /** Jobs of reopened ones without a final state, which lie in no outbox. */
  open(limit: number): Promise<readonly OpenJob[]>;
  /** Those that are to be tried at once, with what the ledger knows; each is told once. */
  takeHurried(limit: number): Promise<readonly LedgerEntry[]>;
}

/** What is owed to a webhook about an event. Plain data. */
export interface StoredCall {
  readonly id: string;
  readonly hook: string;
  readonly time: Date;
  /** JSON. */
  readonly call: string;
}

/** How far webhooks have been told of events, and what is still to be told; for all nodes. */
export interface WebhookStore {
  /** `seq` of the last transition that a webhook was told of; undefined for one that never was. */
  mark(hook: string): Promise<number | undefined>;
  /**
   * Moves the mark on and writes what is owed by that, as one.
   * @param before as it was read
   * @returns false when another was first: nothing is written then
   */
  claim(hook: string, before: number | undefined, next: number, calls: readonly StoredCall[]): Promise<boolean>;
  /** Oldest first. */
  owed(limit: number): Promise<readonly StoredCall[]>;
  /** How many are owed to that webhook. */
  waiting(hook: string): Promise<number>;
  /** They have a final state. */
  settle(ids: readonly string[]): Promise<void>;
}
