import { QueueError } from './errors.js';

/** How long an operation may take while the backend gives no sign of life, in ms. */
const SILENCE = 1000;
/** How long it may take in any case, in ms. */
const TOTAL = 30_000;

/**
 * Ends the waiting for operations on a backend that has gone silent. An operation that is merely slow, because many are
 * under way and others succeed meanwhile, goes on.
 */
export class Patience {
  #lastSign = 0;

  /** @throws what the operation throws, or QueueError when nothing has been heard for about a second */
  async wait<T>(operation: Promise<T>): Promise<T> {
    const start = Date.now();
    return await new Promise<T>((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined;
      const look = (): void => {
        const now = Date.now();
        const quiet = now - Math.max(start, this.#lastSign);
        if (quiet >= SILENCE || now - start >= TOTAL) {
          reject(new QueueError('unavailable', 'the job queue does not answer'));
        } else {
          timer = setTimeout(look, SILENCE - quiet);
        }
      };
      timer = setTimeout(look, SILENCE);
      operation.then(
        (value) => {
          clearTimeout(timer);
          this.#lastSign = Date.now();
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
