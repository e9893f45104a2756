import { inTime } from '../config/in-time.js';
import type { JobOutcome } from '../queue/types.js';
import type { SendingHolds } from '../store/hold-types.js';
import { messageOf } from '../store/errors.js';
import type { Log } from '../telemetry/log.js';
import { Batch } from './rate/batch.js';

/** Something that this process alone may send now. */
export interface Hold {
  /**
   * Whether it is certain to be ours still: false when this process was held still, or cut off from the store, for so long
   * that another may have taken it. To be asked right before what cannot be taken back.
   */
  readonly sure: () => boolean;
  /** Gives it back. Never rejects: it ends by itself. */
  release(): Promise<void>;
}

/** Another process has it in hand. */
export interface Held {
  /** ms until it may be asked for again. */
  readonly wait: number;
}

export interface HoldTimes {
  /** How long one holds that is not renewed: longer than a job of a dead process is left alone by the queue there is no need to. ms */
  readonly span: number;
  /** How often those in hand are renewed, ms. */
  readonly renew: number;
}

export const HOLD_TIMES: HoldTimes = { span: 15_000, renew: 4000 };
const MAX_BATCH = 100;

/**
 * Keeps two processes from sending the same thing at the same time. Times are those of the monotonic clock: it goes on
 * while the process is held still.
 */
export class Holds {
  readonly #store: SendingHolds;
  readonly #log: Log;
  readonly #times: HoldTimes;
  /** Until when each is ours for sure, by the monotonic clock. */
  readonly #sure = new Map<string, number>();
  readonly #takes: Batch<string, number>;
  readonly #releases: Batch<string, undefined>;
  #timer: NodeJS.Timeout | undefined;
  #renewing = false;

  constructor(store: SendingHolds, log: Log, times: HoldTimes = HOLD_TIMES) {
    this.#store = store;
    this.#log = log;
    this.#times = times;
    this.#takes = new Batch(MAX_BATCH, async (ids) => {
      const sure = performance.now() + times.span;
      const others = await store.take(ids, times.span);
      return ids.map((id) => {
        const wait = others.get(id);
        if (wait === undefined) this.#sure.set(id, sure);
        return wait ?? 0;
      });
    });
    this.#releases = new Batch(MAX_BATCH, async (ids) => {
      await store.release(ids);
      return ids.map(() => undefined);
    });
  }

  /** @throws when the store cannot be reached */
  async take(id: string): Promise<Hold | Held> {
    const wait = await this.#takes.ask(id);
    if (wait > 0) return { wait };
    this.#plan();
    return {
      sure: () => performance.now() < (this.#sure.get(id) ?? 0),
      release: async () => await this.#release(id),
    };
  }

  async #release(id: string): Promise<void> {
    this.#sure.delete(id);
    if (this.#sure.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
    try {
      await this.#releases.ask(id);
    } catch (error) {
      this.#log.debug(
        { id, reason: messageOf(error) },
        'what was in hand could not be given back: that ends by itself',
      );
    }
  }

  #plan(): void {
    this.#timer ??= setInterval(() => void this.#renew(), this.#times.renew);
    this.#timer.unref();
  }

  /** Never rejects: what cannot be renewed is not sure any more when its time is over. */
  async #renew(): Promise<void> {
    if (this.#renewing) return;
    this.#renewing = true;
    const { span, renew } = this.#times;
    const now = performance.now();
    // Most are given back before it comes to that.
    const ids = [...this.#sure].filter(([, until]) => until - now < span - renew / 2).map(([id]) => id);
    try {
      for (let n = 0; n < ids.length; n += MAX_BATCH) {
        const sure = performance.now() + span;
        const part = ids.slice(n, n + MAX_BATCH);
        // A connection that hangs must not use up the time: the next try may get another one.
        const ours = await inTime(renew, this.#store.extend(part, span));
        for (const id of part) if (this.#sure.has(id)) this.#sure.set(id, ours.has(id) ? sure : 0);
      }
    } catch (error) {
      this.#log.debug({ reason: messageOf(error) }, 'what is in hand could not be renewed');
      if (this.#timer !== undefined) setTimeout(() => void this.#renew(), renew / 4).unref();
    } finally {
      this.#renewing = false;
    }
  }
}

const ALONE: Hold = { sure: () => true, release: () => Promise.resolve() };

/**
 * Does it while no other process has it in hand; the job comes again when one has.
 * @param holds without it there is no other process
 * @throws what the work throws, and when the store cannot be reached
 */
export async function whileHeld(
  holds: Pick<Holds, 'take'> | undefined,
  id: string,
  clock: { readonly now: () => number },
  work: (hold: Hold) => Promise<JobOutcome>,
): Promise<JobOutcome> {
  const hold = holds === undefined ? ALONE : await holds.take(id);
  if ('wait' in hold) return { again: clock.now() + hold.wait };
  let outcome: JobOutcome | undefined;
  try {
    outcome = await work(hold);
    return outcome;
  } finally {
    const released = hold.release();
    // Nobody asks for what is done; what comes again may come to another process.
    if (outcome !== 'done') await released;
  }
}
