import { messageOf } from '../store/errors.js';
import type { Log } from '../telemetry/log.js';
import { isOwnLack } from './own-lack.js';

/** How a hop was before it was back: it took no mail; it failed at some mail; or mail waits from a time of which nobody knows. */
export type Absence = 'away' | 'failing' | 'unknown';

export interface BreakerOptions {
  /** Name of the hop, for the log. */
  readonly name: string;
  /** Resolves when the hop takes connections. */
  readonly probe: () => Promise<void>;
  /** The hop takes mail again after failures. */
  readonly onBack: (absence: Absence) => void;
  /** Told at each failure why the hop does not take mail. */
  readonly onDown?: (reason: string) => void;
  /** Told when nothing is wrong with the hop, also when nothing was. */
  readonly onUp?: () => void;
  readonly log: Log;
  /** Failures in a row that open it. */
  readonly threshold?: number;
  /** Time between two probes, ms. */
  readonly interval?: number;
}

/** A hop that takes connections and then fails again and again is probed more and more rarely, up to this, ms. */
const LONGEST = 300_000;
/** How long no mail fails, from a good probe on, until a hop counts as well at which mail had failed, ms. */
const SETTLED = 60_000;
/** The same of a hop at which mail has failed again just after a good probe, ms. */
const QUIET = 900_000;

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
  /** Mail failed just after a probe had gone well: only mail can show that the hop is well. */
  #deceives = false;
  #quiet: NodeJS.Timeout | undefined;
  #timer: NodeJS.Timeout | undefined;
  #probing = false;
  #closed = false;
  /** Mail waits from a time of which nothing is known. */
  #suspected = false;

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

  /** Whether all is well as far as is known. */
  get well(): boolean {
    return this.#failures === 0 && this.#timer === undefined && !this.#deceives;
  }

  get failures(): number {
    return this.#failures;
  }

  /** @param reason what the hop said; absent when it was only slow, which is told when it happens again and again */
  failed(reason?: string): void {
    this.#failures += 1;
    this.#stopQuiet();
    this.#deceives ||= this.#probation;
    if (reason !== undefined || this.open) this.#options.onDown?.(reason ?? 'it answers too slowly');
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
    this.#deceives = false;
    this.#stopQuiet();
    this.#options.onUp?.();
    if (this.#failures > 0) this.#back(0);
  }

  /** Looks whether it takes connections, unless that is being done anyway. */
  async check(): Promise<void> {
    if (this.#timer !== undefined || this.#closed) return;
    try {
      await this.#options.probe();
    } catch (error) {
      if (isOwnLack(error)) return;
      this.#down(messageOf(error));
      this.#watch(this.#interval);
      return;
    }
    this.#answers();
  }

  /** Probes at once and until it succeeds, then tells that the hop is back: for mail that waits since before. */
  suspect(): void {
    this.#suspected = true;
    if (this.#probing) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#watch(0);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#stopQuiet();
  }

  #down(reason: string): void {
    this.#stopQuiet();
    if (!this.#closed) this.#options.onDown?.(reason);
  }

  /** A probe went well. Where mail had failed, mail has to show that the hop is well, or a time in which none fails. */
  #answers(): void {
    if (this.#closed || this.#quiet !== undefined) return;
    if (this.#failures === 0 && !this.#deceives) {
      this.#options.onUp?.();
      return;
    }
    this.#quiet = setTimeout(
      () => {
        this.#quiet = undefined;
        this.#deceives = false;
        this.#options.onUp?.();
      },
      this.#deceives ? QUIET : SETTLED,
    );
    this.#quiet.unref();
  }

  #stopQuiet(): void {
    clearTimeout(this.#quiet);
    this.#quiet = undefined;
  }

  #watch(delay: number): void {
    if (this.#closed || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => void this.#probe(), delay);
    this.#timer.unref();
  }

  async #probe(): Promise<void> {
    this.#probing = true;
    try {
      await this.#options.probe();
    } catch (error) {
      this.#probing = false;
      this.#options.log.debug({ hop: this.#options.name, err: error }, 'next hop does not answer');
      clearTimeout(this.#timer);
      this.#timer = undefined;
      if (!isOwnLack(error)) this.#down(messageOf(error));
      this.#watch(this.#interval);
      return;
    }
    this.#probing = false;
    this.#probation = true;
    this.#answers();
    // One more failure and it is open again.
    this.#back(this.open ? this.#threshold - 1 : this.#failures);
  }

  #back(failures: number): void {
    const absence = this.#suspected ? 'unknown' : this.open ? 'away' : 'failing';
    this.#suspected = false;
    if (this.open) this.#options.log.info({ hop: this.#options.name }, 'next hop available again');
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#failures = failures;
    if (!this.#closed) this.#options.onBack(absence);
  }
}
