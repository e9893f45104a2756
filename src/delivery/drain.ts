import type { JobOutcome } from '../queue/types.js';

export interface DrainOptions {
  /** Items at a time. */
  readonly concurrency: number;
  /** Whether an attempt may come to something just now; what may not is left to its job. */
  readonly worth: (item: string) => boolean;
  readonly run: (item: string) => Promise<JobOutcome>;
  /** An item was tried. */
  readonly onRun: (item: string, outcome: JobOutcome) => void;
  /** Nothing is left to be tried. */
  readonly onEmpty: () => void;
  /** An attempt failed in a way that nobody foresaw: the item is left to its job. */
  readonly onError: (item: string, error: unknown) => void;
}

/**
 * Works off what is to be tried now, as its hop is back or somebody asked for it, straight from the spool: a hundred
 * thousand items take no way through the job queue, which is only there for those that wait for their time.
 */
export class Drain {
  readonly #options: DrainOptions;
  readonly #items = new Set<string>();
  #workers = 0;

  constructor(options: DrainOptions) {
    this.#options = options;
  }

  /** Whether the item is about to be tried. */
  has(item: string): boolean {
    return this.#items.has(item);
  }

  /** Has items tried, in this order, behind those that wait already. */
  add(items: Iterable<string>): void {
    for (const item of items) this.#items.add(item);
    while (this.#workers < Math.min(this.#options.concurrency, this.#items.size)) {
      this.#workers += 1;
      void this.#work();
    }
  }

  /** Somebody else tries it. */
  delete(item: string): void {
    this.#items.delete(item);
  }

  /** Begins nothing more. */
  close(): void {
    this.#items.clear();
  }

  async #work(): Promise<void> {
    const { worth, run, onRun, onError, onEmpty } = this.#options;
    for (const item of this.#items) {
      this.#items.delete(item);
      if (!worth(item)) continue;
      try {
        onRun(item, await run(item));
      } catch (error) {
        onError(item, error);
      }
    }
    this.#workers -= 1;
    if (this.#workers === 0) onEmpty();
  }
}
