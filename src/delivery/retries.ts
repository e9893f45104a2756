import type { JobOutcome, JobQueue, QueueBackend } from '../queue/types.js';
import type { Log } from '../telemetry/log.js';
import { Drain } from './drain.js';

/** How many jobs are added in one round trip. */
const BATCH = 500;

export interface RetriesOptions {
  readonly backend: QueueBackend;
  /** Name of the node: its spool has its own queue. */
  readonly node: string;
  readonly log: Log;
  /** Items that must have a job, with the time of their next attempt (ms). */
  readonly waiting: () => Iterable<readonly [string, number]>;
  /** Whether an attempt of the item may come to something now. */
  readonly worth: (item: string) => boolean;
  readonly run: (item: string) => Promise<JobOutcome>;
  /** Items at a time. */
  readonly concurrency: number;
  readonly now: () => number;
}

interface ItemJob {
  readonly item: string;
}

/**
 * When the spool's items are tried: at their time by their jobs, which are an index of what lies there, or at once, as
 * their hop is back.
 */
export class Retries {
  readonly #options: RetriesOptions;
  readonly #queue: JobQueue<ItemJob>;
  readonly #drain: Drain;
  /** Items that are known to have a job. */
  #indexed = new Set<string>();
  /** Items that are gone, and whose jobs are to go. */
  readonly #unneeded = new Set<string>();
  #indexing: Promise<void> | undefined;
  #removing: Promise<void> | undefined;
  #closed = false;

  constructor(options: RetriesOptions) {
    this.#options = options;
    this.#queue = options.backend.queue(`delivery-${options.node}`);
    this.#drain = new Drain({
      concurrency: options.concurrency,
      worth: options.worth,
      run: options.run,
      onRun: (item, outcome) => this.#tried(item, outcome),
      onEmpty: () => void this.indexAll(),
      onError: (item, error) => options.log.error({ item, err: error }, 'a spooled item could not be tried'),
    });
  }

  /** Begins to work, and gives every item a job: now, and each time when the queue comes back. */
  start(): void {
    const { backend, concurrency, run } = this.#options;
    this.#queue.process(concurrency, async ({ item }) => {
      this.#drain.delete(item);
      const outcome = await run(item);
      if (outcome === 'done') this.#indexed.delete(item);
      return outcome;
    });
    backend.onAvailable(() => {
      // It may have come back empty.
      this.#indexed = new Set();
      void this.indexAll();
    });
    void this.indexAll();
  }

  /** Gives an item its job. While the queue is away nothing happens: it is made up for when it comes back. */
  async index(item: string, at: number): Promise<void> {
    await this.#add([[item, at]]);
  }

  /** Gives all items that have none a job, in the background: hundreds at a time. */
  async indexAll(): Promise<void> {
    // What comes while a round is under way may have been passed by.
    await this.#indexing;
    this.#indexing ??= this.#indexRest().finally(() => {
      this.#indexing = undefined;
    });
    await this.#indexing;
  }

  /** Has items tried now: in the background, as fast as they are worked off, also while the queue is away. */
  hurry(items: Iterable<string>): void {
    if (!this.#closed) this.#drain.add(items);
  }

  /** Forgets that these have a job: the next sweep adds it again. */
  doubt(items: readonly string[]): void {
    for (const item of items) this.#indexed.delete(item);
  }

  close(): void {
    this.#closed = true;
    this.#drain.close();
    this.#unneeded.clear();
  }

  async #indexRest(): Promise<void> {
    let batch: (readonly [string, number])[] = [];
    for (const one of this.#options.waiting()) {
      if (this.#indexed.has(one[0]) || this.#drain.has(one[0])) continue;
      batch.push(one);
      if (batch.length < BATCH) continue;
      if (!(await this.#add(batch))) return;
      batch = [];
    }
    await this.#add(batch);
  }

  /** @returns false while the queue is away */
  async #add(items: readonly (readonly [string, number])[]): Promise<boolean> {
    if (this.#closed) return false;
    const missing = items.filter(([item]) => !this.#indexed.has(item));
    const now = this.#options.now();
    try {
      const jobs = missing.map(([item, at]) => ({ id: item, data: { item }, delay: Math.max(0, at - now) }));
      const [only] = jobs;
      if (jobs.length === 1 && only !== undefined) await this.#queue.add(only.id, only.data, only.delay);
      else await this.#queue.addAll(jobs);
      for (const [item] of missing) this.#indexed.add(item);
      return true;
    } catch (error) {
      this.#options.log.debug(
        { items: missing.length, err: error },
        'items wait in the spool until the job queue comes back',
      );
      return false;
    }
  }

  /** Its job, if it has one, is for another time now, or for nothing. */
  #tried(item: string, outcome: JobOutcome): void {
    if (outcome !== 'done') void this.#putOff(item, outcome.again);
    else if (this.#indexed.delete(item)) {
      this.#unneeded.add(item);
      this.#removing ??= this.#removeUnneeded().finally(() => {
        this.#removing = undefined;
      });
    }
  }

  async #putOff(item: string, at: number): Promise<void> {
    if (this.#indexed.delete(item)) await this.#remove(item);
    await this.#add([[item, at]]);
  }

  /** One after the other, as there is no hurry: a job that finds no item is over at once. */
  async #removeUnneeded(): Promise<void> {
    for (const item of this.#unneeded) {
      this.#unneeded.delete(item);
      await this.#remove(item);
    }
  }

  async #remove(item: string): Promise<void> {
    try {
      await this.#queue.remove(item);
    } catch (error) {
      // While it runs it cannot be removed; it finds out by itself.
      this.#options.log.debug({ item, err: error }, 'the job of an item could not be removed');
    }
  }
}
