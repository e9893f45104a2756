import type { JobOutcome, JobQueue, QueueBackend } from '../queue/types.js';
import type { Log } from '../telemetry/log.js';
import { eachOf } from './each.js';

/** How many jobs are promoted at the same time. */
const AT_A_TIME = 16;
/** How many jobs are added in one round trip, and how many are moved to the front before some of them must have run. */
const BATCH = 500;
/** How long the front waits for those, ms. */
const FRONT = 5000;

export interface RetriesOptions {
  readonly backend: QueueBackend;
  /** Name of the node: its spool has its own queue. */
  readonly node: string;
  readonly log: Log;
  /** Items that must have a job, with the time of their next attempt (ms). */
  readonly waiting: () => Iterable<readonly [string, number]>;
  readonly now: () => number;
}

interface ItemJob {
  readonly item: string;
}

/** The jobs of the spool's items: an index of what lies there. */
export class Retries {
  readonly #options: RetriesOptions;
  readonly #queue: JobQueue<ItemJob>;
  /** Items that are known to have a job. */
  #indexed = new Set<string>();
  /** Items that are to be moved to the front, and those that were moved and have not run since. */
  readonly #urgent = new Set<string>();
  readonly #front = new Set<string>();
  #frontMoves = (): void => undefined;
  #indexing: Promise<void> | undefined;
  #hurrying: Promise<void> | undefined;
  #closed = false;

  constructor(options: RetriesOptions) {
    this.#options = options;
    this.#queue = options.backend.queue(`delivery-${options.node}`);
  }

  /** Begins to work, and gives every item a job: now, and each time when the queue comes back. */
  start(concurrency: number, run: (item: string) => Promise<JobOutcome>): void {
    this.#queue.process(concurrency, async ({ item }) => {
      this.#urgent.delete(item);
      if (this.#front.delete(item)) this.#frontMoves();
      const outcome = await run(item);
      if (outcome === 'done') this.#indexed.delete(item);
      return outcome;
    });
    this.#options.backend.onAvailable(() => {
      // It may have come back empty.
      this.#indexed = new Set();
      this.#front.clear();
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

  /** Makes items be tried now: in the background, a few hundred at a time, as fast as they are worked off. */
  hurry(items: Iterable<string>): void {
    for (const item of items) this.#urgent.add(item);
    this.#hurrying ??= this.#moveUrgent().finally(() => {
      this.#hurrying = undefined;
    });
  }

  /** Forgets that these have a job: the next sweep adds it again. */
  doubt(items: readonly string[]): void {
    for (const item of items) this.#indexed.delete(item);
  }

  close(): void {
    this.#closed = true;
    this.#urgent.clear();
    this.#frontMoves();
  }

  async #indexRest(): Promise<void> {
    let batch: (readonly [string, number])[] = [];
    for (const one of this.#options.waiting()) {
      if (this.#indexed.has(one[0])) continue;
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

  async #moveUrgent(): Promise<void> {
    while (this.#urgent.size > 0 && !this.#closed) {
      const batch = [...take(this.#urgent, BATCH)];
      const now = this.#options.now();
      for (const item of batch) {
        this.#urgent.delete(item);
        this.#front.add(item);
      }
      if (!(await this.#add(batch.map((item) => [item, now] as const)))) break;
      // Also those that are due: their job may be from before a command made them so.
      await eachOf(batch, AT_A_TIME, (item) => this.#promote(item));
      await this.#frontWorkedOff();
    }
    this.#urgent.clear();
    this.#front.clear();
  }

  async #promote(item: string): Promise<void> {
    if (this.#closed) return;
    try {
      await this.#queue.promote(item);
    } catch (error) {
      this.#options.log.debug({ item, err: error }, 'the item could not be moved to the front');
    }
  }

  /** Resolves when most of those at the front have run, or nothing happens any more. */
  async #frontWorkedOff(): Promise<void> {
    let before = Infinity;
    while (this.#front.size > BATCH / 2 && this.#front.size < before && !this.#closed) {
      before = this.#front.size;
      await new Promise<void>((resolve) => {
        const over = (): void => {
          clearTimeout(timer);
          this.#frontMoves = () => undefined;
          resolve();
        };
        const timer = setTimeout(over, FRONT);
        this.#frontMoves = () => {
          if (this.#front.size <= BATCH / 2 || this.#closed) over();
        };
      });
    }
    if (this.#front.size > BATCH / 2) this.#front.clear();
  }
}

function* take<T>(items: Iterable<T>, count: number): Generator<T> {
  let taken = 0;
  for (const item of items) {
    if (taken === count) return;
    taken += 1;
    yield item;
  }
}
