import type { JobOutcome, JobQueue, QueueBackend } from '../queue/types.js';
import type { Log } from '../telemetry/log.js';
import { eachOf } from './each.js';

/** How many jobs are added or promoted at the same time. */
const AT_A_TIME = 16;

export interface RetriesOptions {
  readonly backend: QueueBackend;
  /** Name of the node: its spool has its own queue. */
  readonly node: string;
  readonly log: Log;
  /** Items that must have a job, with the time of their next attempt (ms). */
  readonly waiting: () => Iterable<readonly [string, number]>;
  readonly now: () => number;
}

/** The jobs of the spool's items: an index of what lies there. */
export class Retries {
  readonly #options: RetriesOptions;
  readonly #queue: JobQueue<{ readonly item: string }>;
  /** Items that are known to have a job. */
  #indexed = new Set<string>();
  #closed = false;

  constructor(options: RetriesOptions) {
    this.#options = options;
    this.#queue = options.backend.queue(`delivery-${options.node}`);
  }

  /** Begins to work, and gives every item a job: now, and each time when the queue comes back. */
  start(concurrency: number, run: (item: string) => Promise<JobOutcome>): void {
    this.#queue.process(concurrency, async ({ item }) => {
      const outcome = await run(item);
      if (outcome === 'done') this.#indexed.delete(item);
      return outcome;
    });
    this.#options.backend.onAvailable(() => {
      // It may have come back empty.
      this.#indexed = new Set();
      void this.indexAll();
    });
    void this.indexAll();
  }

  /** Gives an item its job. While the queue is away nothing happens: it is made up for when it comes back. */
  async index(item: string, at: number): Promise<void> {
    if (this.#closed || this.#indexed.has(item)) return;
    try {
      await this.#queue.add(item, { item }, Math.max(0, at - this.#options.now()));
      this.#indexed.add(item);
    } catch (error) {
      this.#options.log.debug({ item, err: error }, 'the item waits in the spool until the job queue comes back');
    }
  }

  /** Gives all items that have none a job. */
  async indexAll(): Promise<void> {
    await eachOf([...this.#options.waiting()], AT_A_TIME, ([item, at]) => this.index(item, at));
  }

  /** Makes items be tried now. */
  async hurry(items: readonly string[]): Promise<void> {
    await eachOf(items, AT_A_TIME, async (item) => {
      if (this.#closed) return;
      try {
        await this.index(item, 0);
        await this.#queue.promote(item);
      } catch (error) {
        this.#options.log.debug({ item, err: error }, 'the item could not be moved to the front');
      }
    });
  }

  /** Forgets that these have a job: the next sweep adds it again. */
  doubt(items: readonly string[]): void {
    for (const item of items) this.#indexed.delete(item);
  }

  close(): void {
    this.#closed = true;
  }
}
