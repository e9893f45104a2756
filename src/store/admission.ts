import { createHash } from 'node:crypto';
import { isFinal } from './ledger.js';
import type { Admission, Asked, SendingRules } from './sending-types.js';
import type { LedgerEntry } from './types.js';

/** What the ledger knows of a mail. Times in ms since the epoch. */
export interface KnownMail {
  readonly state: LedgerEntry['state'];
  readonly attempts: number;
  readonly first: number;
  readonly lastReply?: string;
  readonly counted: boolean;
  readonly due?: number;
  /** When somebody wanted it sent again. */
  readonly reopened?: number;
  /** The mail that it goes out in. */
  readonly together?: string;
}

/** How many mails one address got within the window. */
export interface Window {
  readonly count: number;
  /** When the oldest of the last `rate.count` of them was counted; absent when there is none. */
  readonly oldest?: number;
}

/** Mails for one address that wait for the same moment. */
export interface OpenCollection {
  readonly id: string;
  readonly address: string;
  readonly due: number;
  readonly separate: boolean;
  items: number;
  bytes: number;
}

/** A row of the ledger that is to be written. */
export interface Written {
  readonly entry: LedgerEntry;
  readonly address: string;
  readonly source: string;
  readonly counted?: number;
  readonly due?: number;
  readonly folded?: number;
  readonly collection?: string;
  /** Kept with the collection. */
  readonly body?: string;
  readonly ruleName?: string;
}

export interface Decisions {
  readonly admissions: readonly Admission[];
  readonly rows: readonly Written[];
  /** Collections that are new or hold more than before. */
  readonly collections: readonly OpenCollection[];
  /** When there is room again, by address for which something was folded. */
  readonly storms: ReadonlyMap<string, number>;
}

/** Mails in one mail: more would not be read. Those beyond go into another one of the same interval. */
export const COLLECTION_ITEMS = 100;
/** Bytes of what is kept for one collected mail. */
export const COLLECTION_BYTES = 8 * 1024 * 1024;

/** What is to become of mails, by what the store knows. The store holds what is given here still until it has written the outcome. */
export function decide(
  asked: readonly Asked[],
  rules: SendingRules,
  known: ReadonlyMap<string, KnownMail>,
  windows: ReadonlyMap<string, Window>,
  open: readonly OpenCollection[],
): Decisions {
  const rows: Written[] = [];
  const storms = new Map<string, number>();
  const taken = new Map<string, number>();
  const collector = new Collector(open, rules);

  const admissions = asked.map((each): Admission => {
    const { entry, address, source, wait } = each;
    const named = each.ruleName === undefined ? {} : { ruleName: each.ruleName };
    const before = known.get(entry.id);
    if (before !== undefined && isFinal(before)) return { state: 'over' };
    const again = before?.reopened !== undefined;
    if (before?.together !== undefined && !again) return { state: 'over' };
    const attempts = before?.attempts ?? 0;
    const current: LedgerEntry = {
      ...entry,
      time: new Date(before?.first ?? entry.time.getTime()),
      attempts,
      ...(before?.lastReply === undefined ? {} : { lastReply: before.lastReply }),
    };
    if (wait !== undefined && rules.interval > 0 && before?.due === undefined && attempts === 0 && !again) {
      const body = wait.how === 'together' ? wait.body : undefined;
      const collection = collector.place(address, body);
      rows.push({
        entry: { ...current, nextAttempt: new Date(collection.due) },
        address,
        source,
        due: collection.due,
        ...(body === undefined ? {} : { collection: collection.id, body, ...named }),
      });
      return body === undefined ? { state: 'wait', until: collection.due } : { state: 'over' };
    }
    if (before?.due !== undefined && before.due > rules.now) return { state: 'wait', until: before.due };
    if (rules.rate !== undefined && before?.counted !== true) {
      const window = windows.get(address) ?? { count: 0 };
      const used = window.count + (taken.get(address) ?? 0);
      if (used >= rules.rate.count) {
        storms.set(address, (window.oldest ?? rules.now) + rules.rate.per);
        rows.push({ entry: foldedEntry(current, rules), address, source, folded: rules.now, ...named });
        return { state: 'over' };
      }
      taken.set(address, (taken.get(address) ?? 0) + 1);
    }
    const tried = { ...current, attempts: attempts + 1 };
    rows.push({ entry: tried, address, source, ...(before?.counted === true ? {} : { counted: rules.now }) });
    const since = Math.max(current.time.getTime(), before?.due ?? 0, before?.reopened ?? 0);
    return { state: 'send', entry: tried, since };
  });
  return { admissions, rows, collections: collector.changed, storms };
}

/** The row of a mail that there was no room for. */
export function foldedEntry(entry: LedgerEntry, { rate }: SendingRules): LedgerEntry {
  const limit = rate === undefined ? '' : ` (${String(rate.count)} in ${spanOf(rate.per)})`;
  return { ...entry, state: 'folded', reason: `over the rate for this address${limit}: told in a summary` };
}

function spanOf(ms: number): string {
  const units: readonly [string, number][] = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1000],
  ];
  const [unit, size] = units.find(([, each]) => ms % each === 0) ?? ['ms', 1];
  return `${String(ms / size)} ${unit}`;
}

/** Finds the collection that a mail waits in, or begins one. */
class Collector {
  readonly changed: OpenCollection[] = [];
  private readonly open: OpenCollection[];
  private readonly rules: SendingRules;

  constructor(open: readonly OpenCollection[], rules: SendingRules) {
    this.open = [...open];
    this.rules = rules;
  }

  place(address: string, body: string | undefined): OpenCollection {
    const { now, interval } = this.rules;
    const bytes = body === undefined ? 0 : Buffer.byteLength(body);
    const separate = body === undefined;
    const waiting = this.open.filter(
      (each) => each.address === address && each.separate === separate && each.due > now,
    );
    const room = waiting.find(
      (each) =>
        separate || (each.items < COLLECTION_ITEMS && (each.items === 0 || each.bytes + bytes <= COLLECTION_BYTES)),
    );
    const found = room ?? this.begin(address, separate, waiting[0]?.due ?? now + interval);
    found.items += 1;
    found.bytes += bytes;
    if (!this.changed.includes(found)) this.changed.push(found);
    return found;
  }

  private begin(address: string, separate: boolean, due: number): OpenCollection {
    const same = this.open.filter((each) => each.address === address && each.due === due).length;
    const identity = JSON.stringify([address, separate, due, same]);
    const id = `c${createHash('sha256').update(identity).digest('hex').slice(0, 39)}`;
    const collection = { id, address, due, separate, items: 0, bytes: 0 };
    this.open.push(collection);
    return collection;
  }
}
