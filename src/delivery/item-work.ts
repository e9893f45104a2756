import { sevenBitContent } from './dsn/downgrade.js';
import { readAll } from './dsn/original.js';
import type { Config } from '../config/load.js';
import type { Content } from '../message/source.js';
import type { JobOutcome } from '../queue/types.js';
import type { Log } from '../telemetry/log.js';
import { attempt, byDestination, type AttemptedRecipient } from './attempt.js';
import type { Destination, Destinations } from './destinations.js';
import { lateRecipients, markDelay, unmarkDelay } from './delay.js';
import { ItemRecords } from './item-records.js';
import { failedRecipient, ItemReports } from './item-reports.js';
import { ownReply } from './reply.js';
import { isOver, keepWaiting, settle, type FailedRecipient } from './settle.js';
import type { Reports } from './reports.js';
import type { Spool } from './spool.js';
import type { Way } from './spool-index.js';
import { envelopeOf, plainRecipient, type SpoolItem, type SpoolRecipient } from './spool-item.js';
import type { DeliveryEvents, HopReply, Reinspection } from './types.js';

export interface ItemWorkParts {
  readonly config: Pick<Config, 'delivery' | 'log'>;
  readonly spool: Spool;
  readonly destinations: Destinations;
  readonly log: Log;
  readonly events: DeliveryEvents;
  readonly reports: Reports;
  readonly reinspect: (item: SpoolItem, content: Content) => Promise<Reinspection>;
  readonly now: () => number;
}

/** An item is asked for again after this when its attempt goes on, ms. */
const BUSY = 5000;
/** An item that cannot be read is tried again after this, ms. */
const UNREADABLE = 60_000;

/** What is done with the items of the spool: one attempt at a time for each, and what follows from its result. */
export class ItemWork {
  readonly #parts: ItemWorkParts;
  readonly #running = new Map<string, Promise<unknown>>();
  /** What items that are just being inspected again have become so far: it counts when they are gone. */
  readonly #becoming = new Map<string, Map<string, Promise<unknown>>>();
  /** What is told of items. */
  readonly reports: ItemReports;
  /** What is recorded of items. */
  readonly records: ItemRecords;
  #stopping = false;
  /** Called for every item that is to be tried later. */
  onSpooled: (key: string, next: number) => void = () => undefined;

  constructor(parts: ItemWorkParts) {
    this.#parts = parts;
    this.reports = new ItemReports({
      reports: parts.reports,
      retry: parts.config.delivery.retry,
      log: parts.log,
      content: (item) => parts.spool.content(item),
    });
    this.records = new ItemRecords(parts);
  }

  isRunning(key: string): boolean {
    return this.#running.has(key);
  }

  /** Spools an item. One that takes the place of another is not tried before that is gone. @throws SpoolFullError */
  async add(item: SpoolItem, content: Content, own = false): Promise<void> {
    const { spool } = this.#parts;
    const [siblings, work] = [this.#becoming.get(item.replaces ?? ''), this.#running.get(item.replaces ?? '')];
    if (siblings !== undefined && work !== undefined) {
      this.#running.set(item.item, work);
      const adding = spool.add(item, content, own);
      siblings.set(item.item, adding);
      await adding;
      return;
    }
    await spool.add(item, content, own);
    this.onSpooled(item.item, Date.parse(item.nextAttempt));
  }

  /**
   * Spools an item whose attempt goes on; its end settles the item. Where it cannot be spooled, it is recorded who got it
   * all the same.
   * @throws SpoolFullError
   */
  async addRunning(given: SpoolItem, content: Content, running: Promise<AttemptedRecipient[]>): Promise<SpoolItem> {
    this.#running.set(given.item, running);
    const done = (): void => void this.#running.delete(given.item);
    let item: SpoolItem;
    try {
      item = await this.#parts.spool.add(given, content);
    } catch (error) {
      const unkept = running.then((results) => this.records.unkept(given, results));
      this.#running.set(given.item, unkept.finally(done));
      throw error;
    }
    const finish = async (): Promise<void> => {
      try {
        await this.#finish(item, await running);
      } catch (error) {
        this.#parts.log.error({ item: item.item, err: error }, 'the end of an attempt could not be written');
      } finally {
        done();
        const after = this.#parts.spool.entry(item.item);
        if (after !== undefined) this.onSpooled(after.key, after.facts?.next ?? this.#parts.now());
      }
    };
    this.#running.set(item.item, finish());
    return item;
  }

  /** Works an item off: what its job does. */
  async run(key: string): Promise<JobOutcome> {
    const entry = this.#parts.spool.entry(key);
    if (entry === undefined || entry.facts?.held === true) return 'done';
    if (this.#stopping || this.#running.has(key)) return { again: this.#parts.now() + BUSY };
    const work = this.#work(key);
    this.#running.set(key, work);
    try {
      return await work;
    } finally {
      this.#running.delete(key);
    }
  }

  /**
   * Does something with an item while no attempt runs, and none begins.
   * @returns undefined when its attempt does not end in time
   */
  async alone<T>(key: string, patience: number, action: () => Promise<T>): Promise<T | undefined> {
    const until = performance.now() + patience;
    for (let running = this.#running.get(key); running !== undefined; running = this.#running.get(key)) {
      if (this.#stopping || !(await endsBy(running, until - performance.now()))) return undefined;
    }
    const work = action();
    this.#running.set(key, work);
    try {
      return await work;
    } finally {
      this.#running.delete(key);
    }
  }

  /** Where items that go this way go. */
  destinationsOf({ route, domains }: Way): Destination[] {
    try {
      return [...new Set(domains.map((domain) => this.#parts.destinations.of(`@${domain}`, route)))];
    } catch {
      // The route of a rule that is wrong: the attempt says so.
      return [];
    }
  }

  /** Waits until no attempt runs, for `grace` ms at most. No new one begins. */
  async stop(grace: number): Promise<void> {
    this.#stopping = true;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, grace);
    });
    await Promise.race([Promise.allSettled(this.#running.values()), late]);
    clearTimeout(timer);
  }

  /**
   * Gives recipients up, as an admin asks: the sender is told if `tell` says so and a DSN is not barred.
   * @returns why the sender was not told
   */
  async drop(item: SpoolItem, reply: HopReply, tell: boolean): Promise<string | undefined> {
    const { spool, log } = this.#parts;
    const waiting = item.recipients.filter(({ state }) => state === 'waiting');
    const failures = waiting.map((one) => ({
      recipient: plainRecipient(one),
      action: 'failed' as const,
      reply: { ...reply, own: true as const },
    }));
    const untold = tell ? await this.reports.failed(item, failures) : undefined;
    await spool.remove(item.item);
    const about = { id: item.traceId, item: item.item, recipients: waiting.length, told: tell && untold === undefined };
    log.warn(
      { ...about, ...(untold === undefined ? {} : { reason: untold }) },
      'a spooled item was dropped by command',
    );
    this.records.dropped(item, waiting, reply);
    return untold;
  }

  async #work(key: string): Promise<JobOutcome> {
    let item: SpoolItem | undefined;
    try {
      item = await this.#parts.spool.load(key);
    } catch (error) {
      this.#parts.log.error({ item: key, err: error }, 'a spooled item cannot be read');
      return { again: this.#parts.now() + UNREADABLE };
    }
    if (item === undefined || item.held !== undefined) return 'done';
    return await (item.stage === 'inspect' ? this.#inspect(item) : this.#try(item));
  }

  async #try(item: SpoolItem): Promise<JobOutcome> {
    const results = await this.#attempt(item);
    return (await this.#setAside(item, results)) ? 'done' : await this.#finish(item, results);
  }

  async #attempt(item: SpoolItem): Promise<AttemptedRecipient[]> {
    const input = this.#input(item);
    try {
      return await attempt(input, byDestination(input, this.#parts.destinations));
    } catch (error) {
      this.#parts.log.error({ item: item.item, err: error }, 'a spooled item could not be tried');
      return this.#deferAll(item, 'the attempt failed');
    }
  }

  /**
   * Inspects a deferred copy again. What it becomes counts from the moment that its own file is gone: when something
   * fails before, or the process dies, that is taken back, and the copy is inspected once more.
   */
  async #inspect(item: SpoolItem): Promise<JobOutcome> {
    const { spool, log, reinspect } = this.#parts;
    const become = new Map<string, Promise<unknown>>();
    this.#becoming.set(item.item, become);
    let result: Reinspection;
    try {
      result = await reinspect(item, spool.content(item));
    } catch (error) {
      log.error({ item: item.item, err: error }, 'a deferred message could not be inspected again');
      result = { state: 'again', reason: 'it could not be inspected' };
    }
    this.#becoming.delete(item.item);
    await Promise.allSettled(become.values());
    if (result.state === 'again' && spool.isDamaged(item.item)) {
      for (const key of become.keys()) await spool.remove(key);
      for (const key of become.keys()) this.#running.delete(key);
      await this.#setAside(item, []);
      return 'done';
    }
    if (result.state === 'again') for (const key of become.keys()) await spool.remove(key);
    else await spool.remove(item.item);
    for (const key of become.keys()) {
      this.#running.delete(key);
      const { facts } = spool.entry(key) ?? {};
      if (facts !== undefined) this.onSpooled(key, facts.next);
    }
    return result.state === 'again' ? await this.#finish(item, this.#deferAll(item, result.reason)) : 'done';
  }

  /** Sets an item aside whose message turned out to be damaged, unless somebody got it as it is. */
  async #setAside(item: SpoolItem, results: readonly AttemptedRecipient[]): Promise<boolean> {
    const { spool } = this.#parts;
    if (!spool.isDamaged(item.item) || results.some(({ state }) => state === 'delivered')) return false;
    await spool.setAside(item.item, 'the bytes of the message have changed since it was spooled');
    return true;
  }

  #deferAll(item: SpoolItem, reason: string): AttemptedRecipient[] {
    const reply = ownReply(451, '4.7.1', reason);
    return envelopeOf(item).recipients.map(({ address }) => ({
      address,
      state: 'deferred',
      reply,
      hop: item.recipients.find((one) => one.address === address)?.hop ?? '',
      tried: true,
    }));
  }

  /**
   * Writes down what an attempt came to. What is given up is told before it is forgotten: a DSN is in the spool, or it
   * is said why there is none; where it cannot be written, the recipients wait on.
   */
  async #finish(before: SpoolItem, results: readonly AttemptedRecipient[]): Promise<JobOutcome> {
    const { spool, config, now } = this.#parts;
    const settled = settle(before, results, config.delivery.retry, now());
    let { item } = settled;
    let given = settled.failed;
    if (given.length > 0 && !(await this.#tell(item, given))) {
      item = keepWaiting(item, given, config.delivery.retry, now());
      given = [];
    }
    const records = this.records.of(item, settled.delivered, given);
    await this.#tellDelivered(
      item,
      results.filter(({ address }) => settled.delivered.some((one) => one.address === address)),
    );
    const late = lateRecipients(item, config.delivery.retry.warnAfter, now());
    item = markDelay(item, late);
    if (isOver(item)) await spool.remove(item.item);
    else await this.#keep(item);
    await this.#tellDelay(item, late);
    if (item.dsn !== undefined)
      for (const { state, reply } of records)
        this.#parts.reports.settled(item, state === 'delivered' ? 'sent' : 'failed', reply);
    this.records.settled(item, records);
    return isOver(item) ? 'done' : { again: Date.parse(item.nextAttempt) };
  }

  /** @returns false when it has to be tried again as nobody could be told */
  async #tell(item: SpoolItem, failed: readonly FailedRecipient[]): Promise<boolean> {
    const { log } = this.#parts;
    try {
      const reason = await this.reports.failed(item, failed.map(failedRecipient));
      const about = { id: item.traceId, item: item.item, recipients: failed.length };
      if (reason !== undefined) log.warn({ ...about, reason }, 'a delivery failed; the sender is not told');
      return true;
    } catch (error) {
      log.error({ id: item.traceId, item: item.item, err: error }, 'a DSN could not be spooled: the item is kept');
      return false;
    }
  }

  /** What the sender asked to be told of successes, and what becomes of our own DSNs. */
  async #tellDelivered(item: SpoolItem, results: readonly AttemptedRecipient[]): Promise<void> {
    const about = { ...item, envelope: { ...item.envelope, recipients: item.recipients } };
    const { spool } = this.#parts;
    const received = new Date(item.receivedAt);
    await this.reports.delivered(about, received, spool.content(item), results);
  }

  /** Marks first, tells then: a delay is told once, also when the process is killed between the two. */
  async #tellDelay(item: SpoolItem, late: readonly SpoolRecipient[]): Promise<void> {
    if (late.length === 0 || (await this.reports.delayed(item, late))) return;
    await this.#keep(unmarkDelay(item, late));
  }

  /** What an attempt came to holds at once, also where the disk does not take it: it is written when it does. Never rejects. */
  async #keep(item: SpoolItem): Promise<void> {
    const { spool, log } = this.#parts;
    try {
      await spool.update(item);
    } catch (error) {
      log.error({ id: item.traceId, item: item.item, err: error }, 'the state of a spooled item cannot be written yet');
    }
  }

  #input(item: SpoolItem) {
    const content = this.#parts.spool.content(item);
    return {
      item: item.item,
      envelope: envelopeOf(item),
      content,
      eightBit: item.eightBit,
      ...(item.dsn === undefined ? {} : { sevenBit: async () => sevenBitContent(await readAll(content)) }),
      ...(item.route === undefined ? {} : { route: item.route }),
    };
  }
}

async function endsBy(work: Promise<unknown>, ms: number): Promise<boolean> {
  if (ms <= 0) return false;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  const ended = Promise.allSettled([work]).then(() => true);
  const result = await Promise.race([ended, late]);
  clearTimeout(timer);
  return result;
}
