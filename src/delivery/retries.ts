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

interface Coming {
  readonly items: (readonly [string, number])[];
  /** Resolves when they have their jobs, or the queue is away. */
  readonly added: Promise<void>;
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
  /** Items whose jobs are to go, with the time of another one (ms) for those that are not gone. */
  readonly #stale = new Map<string, number | undefined>();
  /** Items that get a job as soon as those before them have theirs. */
  #coming: Coming | undefined;
  #adding: Promise<void> = Promise.resolve();
  #indexing: Promise<void> | undefined;
  #removing = false;
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

  /**
   * Gives an item its job. While the queue is away nothing happens: it is made up for when it comes back. Those that come
   * while others get theirs go together: a round trip for each would take most of the machine when all mail waits.
   */
  async index(item: string, at: number): Promise<void> {
    this.#coming ??= this.#gather();
    this.#coming.items.push([item, at]);
    await this.#coming.added;
  }

  /** Gives all items that have none a job, in the background: hundreds at a time. */
  async indexAll(): Promise<void> {
    // What comes while a round is under way may have been passed by.
    await this.#indexing;
    this.#indexing ??= this.#addInBatches(this.#withoutJob()).finally(() => {
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
    this.#stale.clear();
  }

  #gather(): Coming {
    const items: (readonly [string, number])[] = [];
    const added = this.#adding.then(async () => {
      this.#coming = undefined;
      await this.#addInBatches(items);
    });
    this.#adding = added;
    return { items, added };
  }

  *#withoutJob(): Generator<readonly [string, number]> {
    for (const one of this.#options.waiting())
      if (!this.#indexed.has(one[0]) && !this.#stale.has(one[0]) && !this.#drain.has(one[0])) yield one;
  }

  async #addInBatches(items: Iterable<readonly [string, number]>): Promise<void> {
    let batch: (readonly [string, number])[] = [];
    for (const one of items) {
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
      await this.#queue.addAll(
        missing.map(([item, at]) => ({ id: item, data: { item }, delay: Math.max(0, at - now) })),
      );
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
    const again = outcome === 'done' ? undefined : outcome.again;
    if (this.#indexed.delete(item) || this.#stale.has(item)) {
      this.#stale.set(item, again);
      if (!this.#removing) void this.#removeStale();
    } else if (again !== undefined) void this.index(item, again);
  }

  /** One after the other, as there is no hurry: a job that finds no item, or comes too early, is over at once. */
  async #removeStale(): Promise<void> {
    this.#removing = true;
    for (const item of this.#stale.keys()) {
      await this.#remove(item);
      const again = this.#stale.get(item);
      this.#stale.delete(item);
      // What was asked for meanwhile may have found the old job, which is gone now.
      this.#indexed.delete(item);
      if (again !== undefined) void this.index(item, again);
    }
    this.#removing = false;
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
