/** ms after a failed start until another is tried. */
export const START_AGAIN = 5_000;

/** What is known of the starts of threads: whether all that were wanted have come to be, and whether the last one failed. */
export class ThreadStarts {
  /** Resolves when every thread that was started has loaded rules and detectors. @throws Error with the reason when one cannot */
  readonly ready: Promise<void>;
  private readonly resolve: () => void;
  private readonly reject: (error: Error) => void;
  /** All have been ready once: nobody waits any more to hear why a thread cannot be started. */
  private wereReady = false;
  /** The last start, where it failed; `at` on the clock of `performance.now()`. */
  private failure: { readonly at: number; readonly reason: string } | undefined;

  constructor() {
    let settle = { resolve: (): void => undefined, reject: (_: Error): void => undefined };
    this.ready = new Promise<void>((resolve, reject) => (settle = { resolve, reject }));
    ({ resolve: this.resolve, reject: this.reject } = settle);
    // Whoever waits for it hears of it; that nobody does is no failure of its own.
    this.ready.catch(() => undefined);
  }

  /** Why the last start failed. */
  get reason(): string | undefined {
    return this.failure?.reason;
  }

  /**
   * A thread has started.
   * @param all whether that was the last one
   * @returns whether the start before it had failed: others that are wanting may be started again
   */
  succeeded(all: boolean): boolean {
    if (all) {
      this.wereReady = true;
      this.resolve();
    }
    const failed = this.failure !== undefined;
    this.failure = undefined;
    return failed;
  }

  /** A thread could not be started. @returns whether `ready` tells of it; else others have to be told */
  failed(reason: string): boolean {
    this.failure = { at: performance.now(), reason };
    if (!this.wereReady) this.reject(new Error(reason));
    return !this.wereReady;
  }

  /**
   * After a failed start one thread is tried at a time, after a pause, until one has started.
   * @param pending whether one is being started
   */
  may(pending: boolean): boolean {
    if (this.failure === undefined) return true;
    return !pending && performance.now() - this.failure.at > START_AGAIN;
  }
}
