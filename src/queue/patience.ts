import { QueueError } from './errors.js';

/** How long an operation may take while the backend gives no sign of life, in ms. */
const SILENCE = 1000;
/** How long it may take in any case, in ms. */
const TOTAL = 30_000;
/** By how much a look may be late before it counts as the process's own doing, in ms. */
const LATE = 100;

/**
 * Ends the waiting for operations on a backend that has gone silent. An operation that is merely slow, because many are
 * under way and others succeed meanwhile, goes on. Time in which this process itself stood still (a machine that is moved
 * or put to sleep) is not the backend's: its answer may lie there unread.
 */
export class Patience {
  #lastSign = -Infinity;

  /** @throws what the operation throws, or QueueError when nothing has been heard for about a second */
  async wait<T>(operation: Promise<T>): Promise<T> {
    let since = performance.now();
    let end = since + TOTAL;
    return await new Promise<T>((resolve, reject) => {
      let due = since + SILENCE;
      let timer: NodeJS.Timeout | undefined;
      const look = (): void => {
        const now = performance.now();
        const late = now - due;
        if (late > LATE) {
          since = now;
          end += late;
        }
        const quiet = now - Math.max(since, this.#lastSign);
        if (quiet >= SILENCE || now >= end) {
          reject(new QueueError('unavailable', 'the job queue does not answer'));
        } else {
          due = now + SILENCE - quiet;
          timer = setTimeout(look, due - now);
        }
      };
      timer = setTimeout(look, SILENCE);
      operation.then(
        (value) => {
          clearTimeout(timer);
          this.#lastSign = performance.now();
          resolve(value);
        },
        (error: unknown) => {
          clearTimeout(timer);
          reject(error instanceof Error ? error : new Error(String(error)));
        },
      );
    });
  }
}
