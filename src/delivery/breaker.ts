import type { Log } from '../telemetry/log.js';

export interface BreakerOptions {
  /** Name of the hop, for the log. */
  readonly name: string;
  /** Resolves when the hop takes connections. */
  readonly probe: () => Promise<void>;
  /** The hop takes mail again after failures. */
  readonly onBack: () => void;
  readonly log: Log;
  /** Failures in a row that open it. */
  readonly threshold?: number;
  /** Time between two probes, ms. */
  readonly interval?: number;
}

/** A hop that takes connections and then fails again and again is probed more and more rarely, up to this, ms. */
const LONGEST = 300_000;

/**
 * Health of one hop: after so many failures in a row no mail is tried at once. From the first failure on it is probed,
 * until a probe or a mail succeeds.
 */
export class Breaker {
  readonly #options: BreakerOptions;
  readonly #threshold: number;
  readonly #shortest: number;
  #interval: number;
  #failures = 0;
  #probation = false;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: BreakerOptions) {
    this.#options = options;
    this.#threshold = options.threshold ?? 5;
    this.#shortest = options.interval ?? 10_000;
    this.#interval = this.#shortest;
  }

  /** Whether mail is not to be tried. */
  get open(): boolean {
    return this.#failures >= this.#threshold;
  }

  failed(): void {
    this.#failures += 1;
    if (this.#failures === this.#threshold) this.#options.log.warn({ hop: this.#options.name }, 'next hop unavailable');
    if (this.#probation) {
      this.#probation = false;
      this.#interval = Math.min(this.#interval * 2, LONGEST);
    }
    this.#watch(this.#interval);
  }

  succeeded(): void {
    this.#interval = this.#shortest;
    this.#probation = false;
    if (this.#failures > 0) this.#back(0);
  }

  /** Probes at once and until it succeeds, then tells that the hop is back: for mail that waits since before. */
  suspect(): void {
    this.#watch(0);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #watch(delay: number): void {
    if (this.#closed || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => void this.#probe(), delay);
    this.#timer.unref();
  }

  async #probe(): Promise<void> {
    try {
      await this.#options.probe();
    } catch (error) {
      this.#options.log.debug({ hop: this.#options.name, err: error }, 'next hop does not answer');
      this.#timer = undefined;
      this.#watch(this.#interval);
      return;
    }
    this.#probation = true;
    // One more failure and it is open again.
    this.#back(this.open ? this.#threshold - 1 : this.#failures);
  }

  #back(failures: number): void {
    if (this.open) this.#options.log.info({ hop: this.#options.name }, 'next hop available again');
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#failures = failures;
    if (!this.#closed) this.#options.onBack();
  }
}
