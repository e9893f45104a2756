import {
  decide,
  foldedEntry,
  type KnownMail,
  type OpenCollection,
  type Window,
  type Written,
} from '../../store/admission.js';
import type {
  Admission,
  Asked,
  Collection,
  Recorded,
  SendingRules,
  SendingStore,
  Summary,
  Tally,
} from '../../store/sending-types.js';
import type { LedgerEntry } from '../../store/types.js';

interface Row {
  entry: LedgerEntry;
  address: string;
  source: string;
  counted?: number;
  due?: number;
  folded?: number;
  collection?: string;
  summary?: string;
  ruleName?: string;
}

/** The store of what is sent, in memory: a model of the one in a database, which the same tests hold to the same. */
export class MemorySending implements SendingStore {
  readonly rows = new Map<string, Row>();
  readonly summaries = new Map<string, { summary: Summary; settled: boolean }>();
  /** Called before each access: what throws here is a store that is away. */
  before: () => void = () => undefined;
  private readonly storms = new Map<string, { due?: number; told?: number }>();
  private readonly collections = new Map<string, OpenCollection & { started: boolean; settled: boolean }>();
  private readonly bodies = new Map<string, Map<string, string>>();
  /** Times of those that were counted, by address, in their order. */
  private readonly counted = new Map<string, number[]>();

  async admit(asked: readonly Asked[], rules: SendingRules): Promise<readonly Admission[]> {
    this.before();
    const addresses = [...new Set(asked.map(({ address }) => address))];
    const windows = new Map(addresses.map((address) => [address, this.window(address, rules)]));
    const known = new Map<string, KnownMail>();
    for (const { entry } of asked) {
      const row = this.rows.get(entry.id);
      if (row !== undefined) known.set(entry.id, knownOf(row));
    }
    const open = [...this.collections.values()].filter(
      (each) => addresses.includes(each.address) && each.due > rules.now && !each.settled && !each.started,
    );
    const { admissions, rows, collections, storms } = decide(asked, rules, known, windows, open);
    for (const each of collections) {
      const before = this.collections.get(each.id);
      this.collections.set(each.id, { ...each, started: before?.started ?? false, settled: before?.settled ?? false });
    }
    for (const row of rows) this.write(row);
    for (const [address, room] of storms) this.noteStorm(address, room, rules);
    return await Promise.resolve(admissions);
  }

  async record(outcomes: readonly Recorded[]): Promise<void> {
    this.before();
    for (const { entry } of outcomes) this.write({ entry });
    await Promise.resolve();
  }

  onFolded(): void {
    // Nobody counts here.
  }

  async prune(): Promise<void> {
    await Promise.resolve();
  }

  async dueStorms(now: number, limit: number, all: boolean): Promise<readonly string[]> {
    this.before();
    return await Promise.resolve(
      [...this.storms]
        .filter(([, { due }]) => due !== undefined && (all || due <= now))
        .map(([address]) => address)
        .slice(0, limit),
    );
  }

  async claimSummary(
    address: string,
    now: number,
    identify: (to: string) => { readonly id: string; readonly messageId: string },
  ): Promise<boolean> {
    this.before();
    const storm = this.storms.get(address);
    if (storm?.due === undefined) return await Promise.resolve(false);
    this.storms.set(address, { told: now });
    const { id, messageId } = identify(address);
    const told = [...this.rows.values()].filter(
      (row) => row.address === address && row.entry.state === 'folded' && row.summary === undefined,
    );
    const [first] = told;
    if (first === undefined) return false;
    for (const row of told) row.summary = id;
    const times = told.map(({ folded = now }) => folded);
    const ids = [...new Set(told.flatMap(({ entry }) => (entry.traceId === undefined ? [] : [entry.traceId])))];
    const summary: Summary = {
      id,
      to: first.entry.to,
      time: now,
      total: told.length,
      first: Math.min(...times),
      last: Math.max(...times),
      rules: tally(told.map(({ entry }) => entry.rule ?? '')).map((each) => {
        const title = told.find(({ entry, ruleName }) => entry.rule === each.name && ruleName !== undefined)?.ruleName;
        return title === undefined ? each : { ...each, title };
      }),
      templates: tally(told.map(({ entry }) => entry.template)),
      sources: tally(told.map(({ source }) => source)),
      traceIds: ids.slice(0, 100),
      messages: ids.length,
    };
    this.summaries.set(id, { summary, settled: false });
    const entry: LedgerEntry = {
      id,
      kind: 'summary',
      to: summary.to,
      template: 'summary',
      state: 'queued',
      attempts: 0,
      messageId,
      time: new Date(now),
    };
    this.write({ entry });
    return true;
  }

  async owedSummaries(limit: number): Promise<readonly string[]> {
    this.before();
    return await Promise.resolve(
      [...this.summaries]
        .filter(([, { settled }]) => !settled)
        .map(([id]) => id)
        .slice(0, limit),
    );
  }

  async summary(id: string): Promise<Summary | undefined> {
    this.before();
    const found = this.summaries.get(id);
    return await Promise.resolve(found?.settled === false ? found.summary : undefined);
  }

  async settleSummary(id: string): Promise<void> {
    this.before();
    const found = this.summaries.get(id);
    if (found !== undefined) found.settled = true;
    await Promise.resolve();
  }

  async dueCollections(now: number, limit: number): Promise<readonly string[]> {
    this.before();
    return await Promise.resolve(
      [...this.collections.values()]
        .filter((each) => each.due <= now && !each.settled && !each.separate)
        .map(({ id }) => id)
        .slice(0, limit),
    );
  }

  async startCollection(id: string, rules: SendingRules): Promise<Collection | undefined> {
    this.before();
    const collection = this.collections.get(id);
    if (collection === undefined || collection.settled) {
      await Promise.resolve(undefined);
      return;
    }
    collection.started = true;
    const items = [...(this.bodies.get(id) ?? [])].flatMap(([key, body]) => {
      const row = this.rows.get(key);
      return row?.entry.state === 'queued' ? [{ row, body }] : [];
    });
    const { rate, now } = rules;
    const window = this.window(collection.address, rules);
    const full =
      rate !== undefined && window.count >= rate.count && !items.some(({ row }) => row.counted !== undefined);
    if (items.length === 0 || full) {
      for (const { row } of items) this.write({ entry: foldedEntry(row.entry, rules), folded: now });
      if (rate !== undefined && items.length > 0)
        this.noteStorm(collection.address, (window.oldest ?? now) + rate.per, rules);
      await this.settleCollection(id);
      return undefined;
    }
    const entries = items.map(({ row }) => ({ ...row.entry, attempts: row.entry.attempts + 1 }));
    for (const [i, entry] of entries.entries()) this.write({ entry, ...(i === 0 ? { counted: now } : {}) });
    return { id, entries, bodies: items.map(({ body }) => body), since: collection.due };
  }

  async settleCollection(id: string): Promise<void> {
    this.before();
    const collection = this.collections.get(id);
    if (collection !== undefined) collection.settled = true;
    this.bodies.delete(id);
    await Promise.resolve();
  }

  /** As the ledger's `put`. */
  write({
    entry,
    address,
    source,
    counted,
    due,
    folded,
    collection,
    body,
    ruleName,
  }: Partial<Written> & Pick<Written, 'entry'>): void {
    const known = this.rows.get(entry.id);
    if (known !== undefined && known.entry.state !== 'queued') return;
    const row: Row = known ?? { entry, address: address ?? entry.to.toLowerCase(), source: source ?? '' };
    row.entry = entry;
    if (source !== undefined) row.source = source;
    if (counted !== undefined && row.counted === undefined) {
      row.counted = counted;
      const times = this.counted.get(row.address) ?? [];
      times.push(counted);
      this.counted.set(row.address, times);
    }
    if (due !== undefined) row.due = due;
    if (folded !== undefined) row.folded = folded;
    if (ruleName !== undefined) row.ruleName = ruleName;
    if (collection !== undefined) row.collection = collection;
    if (collection !== undefined && body !== undefined) {
      const bodies = this.bodies.get(collection) ?? new Map<string, string>();
      bodies.set(entry.id, body);
      this.bodies.set(collection, bodies);
    }
    this.rows.set(entry.id, row);
  }

  private window(address: string, { now, rate }: SendingRules): Window {
    if (rate === undefined) return { count: 0 };
    const recent = (this.counted.get(address) ?? []).slice(-rate.count).filter((time) => time > now - rate.per);
    const [oldest] = recent;
    return { count: recent.length, ...(oldest === undefined ? {} : { oldest }) };
  }

  private noteStorm(address: string, room: number, { rate }: SendingRules): void {
    const { due, told } = this.storms.get(address) ?? {};
    const next = due ?? Math.max(room, told === undefined ? 0 : told + (rate?.per ?? 0));
    this.storms.set(address, { due: next, ...(told === undefined ? {} : { told }) });
  }
}

function knownOf({ entry, counted, due, collection }: Row): KnownMail {
  return {
    state: entry.state,
    attempts: entry.attempts,
    first: entry.time.getTime(),
    counted: counted !== undefined,
    ...(entry.lastReply === undefined ? {} : { lastReply: entry.lastReply }),
    ...(due === undefined ? {} : { due }),
    ...(collection === undefined ? {} : { together: collection }),
  };
}

function tally(names: readonly string[]): readonly Tally[] {
  const counts = new Map<string, number>();
  for (const name of names) if (name !== '') counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts]
    .map(([name, count]) => ({ name, count }))
    .sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1))
    .slice(0, 20);
}
