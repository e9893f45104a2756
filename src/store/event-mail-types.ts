import type { EventCondition } from './types.js';

/** What became of a condition between two mails. */
export interface Change {
  readonly change: 'raised' | 'resolved' | 'raised-and-resolved';
  /** As it was last. */
  readonly condition: EventCondition;
}

/** How far a set of recipients has been told of events. */
export interface Mark {
  /** `seq` of the last transition that was told, or is not to be told. */
  readonly seq: number;
  /** Of the last mail about changes, ms since the epoch; absent before the first. */
  readonly changeAt?: number;
  /** Day of the last daily mail that was due, whether one was sent or not, as `2026-11-21`. */
  readonly day: string;
  /** `seq` of the last transition when the last mail was made, of either kind. */
  readonly mailSeq: number;
}

/** A mark as it is stored. */
export interface StoredMark extends Mark {
  /** Grows with each change: whoever read an older one has come too late. */
  readonly version: number;
}

/** What a mail about events says. Plain data, frozen when the mail becomes due. */
export interface EventMail {
  /** The same whoever makes it. */
  readonly id: string;
  readonly to: readonly string[];
  readonly language: string;
  readonly kind: 'change' | 'daily';
  /** When it became due, ms since the epoch. */
  readonly time: number;
  /** Zone of the times in it. */
  readonly timezone: string;
  /** What holds, oldest first. */
  readonly conditions: readonly EventCondition[];
  /** What began or ended since the last mail about changes; empty in a daily one. */
  readonly changes: readonly Change[];
  /** What ended since the last mail of either kind; in a mail about changes that is among them. */
  readonly resolved: readonly EventCondition[];
}

/** Where it is kept who has been told what of events, and what is still to be sent; for all nodes and workers. */
export interface EventMailStore {
  /** Undefined for a set that was never told. */
  mark(set: string): Promise<StoredMark | undefined>;
  /** Whether no set has a mark. */
  isFirst(): Promise<boolean>;
  /**
   * Moves the mark on and writes the mails that are owed by that, as one.
   * @param version of the mark that was read; 0 when there was none
   * @returns false when another was first: nothing is written then
   */
  claim(set: string, version: number, next: Mark, mails: readonly EventMail[]): Promise<boolean>;
}

/** What of it the senders use. */
export interface OwedEventMails {
  /** Mails of which it is not known for good what became of them, oldest first. */
  owed(limit: number): Promise<readonly EventMail[]>;
  /** Those of these IDs that are owed. */
  owedBy(ids: readonly string[]): Promise<readonly EventMail[]>;
  /** It is known now. */
  settle(id: string): Promise<void>;
  /** Forgets settled ones from before that time. */
  prune(before: Date): Promise<void>;
}
