import type { Rate } from '../config/units.js';
import type { KeptJob } from './notification-book-types.js';
import type { LedgerEntry } from './types.js';

/** A mail that a worker has in hand and would send now. */
export interface Asked {
  /** As it is when it was never tried: `queued`, no attempts. */
  readonly entry: LedgerEntry;
  /** In lower case: what the rate and collections go by. */
  readonly address: string;
  /** Domain of the sender of the message that it is about; empty when there is none. */
  readonly source: string;
  /** Name of the rule, where it has one beside its ID: a summary shows it. */
  readonly ruleName?: string;
  /** Whether it waits for the end of an interval: to go by itself, or in one mail with all of its address. */
  readonly wait?: { readonly how: 'separate' } | { readonly how: 'together'; readonly body: string };
}

/** What is in force at the moment. */
export interface SendingRules {
  /** ms since the epoch. */
  readonly now: number;
  /** Mails for one address in a sliding window; absent: as many as there are. */
  readonly rate?: Rate;
  /** ms; 0: nothing waits. */
  readonly interval: number;
}

/** What is to become of a mail that a worker asked for. */
export type Admission =
  /** The attempt is in the ledger: send it. Its lifetime counts from `since`, ms since the epoch. */
  | { readonly state: 'send'; readonly entry: LedgerEntry; readonly since: number }
  /** It is over, or lies in the store to be told in a collected mail or a summary: nothing is left to do for this job. */
  | { readonly state: 'over' }
  /** The same question at that time, ms since the epoch. */
  | { readonly state: 'wait'; readonly until: number };

/** So many of one kind. */
export interface Tally {
  readonly name: string;
  /** What people call it, where `name` is an ID. */
  readonly title?: string;
  readonly count: number;
}

/** What a summary says of the mails that were folded into it. Plain data, frozen when there was room. */
export interface Summary {
  readonly id: string;
  readonly to: string;
  /** When there was room, ms since the epoch. */
  readonly time: number;
  readonly total: number;
  /** When the first and the last of them were folded, ms since the epoch. */
  readonly first: number;
  readonly last: number;
  /** The most frequent ones, by number. */
  readonly rules: readonly Tally[];
  readonly templates: readonly Tally[];
  readonly sources: readonly Tally[];
  /** Trace IDs, oldest first, up to a bound. */
  readonly traceIds: readonly string[];
  /** Number of different messages. */
  readonly messages: number;
}

/** A collected mail that is due. */
export interface Collection {
  readonly id: string;
  /** Rows of the ledger, with this attempt counted, in the order of their coming. */
  readonly entries: readonly LedgerEntry[];
  /** What was given with each, in the same order. */
  readonly bodies: readonly string[];
  /** Its lifetime counts from then, ms since the epoch. */
  readonly since: number;
}

/** A row of the ledger, and with a final state what is needed to send the mail again. */
export interface Recorded {
  readonly entry: LedgerEntry;
  readonly kept?: KeptJob;
}

/** Storm control: what was folded is owed a summary, and found again until one has told of it. */
export interface StormStore {
  /** Addresses for which there is room for a summary. @param all also those for which there is none: the rate was switched off */
  dueStorms(now: number, limit: number, all: boolean): Promise<readonly string[]>;
  /**
   * Makes one summary of all that was folded for the address and not told, with its row in the ledger; in one
   * transaction, so that one of many who try at the same time does it.
   * @param identify from the address as it was written
   * @returns whether there is a new summary
   */
  claimSummary(
    address: string,
    now: number,
    identify: (to: string) => { readonly id: string; readonly messageId: string },
  ): Promise<boolean>;
  owedSummaries(limit: number): Promise<readonly string[]>;
  /** undefined when it is settled or unknown. */
  summary(id: string): Promise<Summary | undefined>;
  settleSummary(id: string): Promise<void>;
}

/** Mails that wait to be sent in one. */
export interface CollectionStore {
  dueCollections(now: number, limit: number): Promise<readonly string[]>;
  /**
   * Counts the collection by the rate, once, and the attempt of each of its mails.
   * @returns undefined when it is settled, or has just been folded as there was no room
   */
  startCollection(id: string, rules: SendingRules): Promise<Collection | undefined>;
  settleCollection(id: string): Promise<void>;
}

/** Where workers ask what may be sent, and write what became of it; for all workers of all nodes. */
export interface SendingStore extends StormStore, CollectionStore {
  /** In one transaction. In the order of the questions. */
  admit(asked: readonly Asked[], rules: SendingRules): Promise<readonly Admission[]>;
  /** Rows of the ledger, each ID at most once; a final state is never overwritten. */
  record(outcomes: readonly Recorded[]): Promise<void>;
  /** Called with rows that were folded when they are written. */
  onFolded(listener: (entries: readonly LedgerEntry[]) => void): void;
  /** Removes what is settled and older. */
  prune(before: Date): Promise<void>;
}
