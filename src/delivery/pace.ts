/** An attempt that takes longer waits for its hop, and no longer keeps others from their turn, ms. */
const BRIEF = 1000;
/** The gateway counts as busy with new mail for so long after the last, ms. */
const QUIET = 200;

/**
 * New mail goes first: while it comes in, only a few attempts for mail of the spool begin at a time, as each takes
 * connections, disk and time of the loop. Otherwise they run as fast as they can. They never stand still.
 */
export class Pace {
  readonly #besides: number;
  readonly #waiting: (() => void)[] = [];
  #inline = 0;
  #lastInline = -Infinity;
  #brief = 0;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /** @param besides attempts at a time beside new mail */
  constructor(besides: number) {
    this.#besides = besides;
  }

  /** Delivers new mail. */
  async inline<T>(work: () => Promise<T>): Promise<T> {
    this.#inline += 1;
    try {
      return await work();
    } finally {
      this.#inline -= 1;
      this.#lastInline = performance.now();
    }
  }

  /** Attempts mail of the spool when it is its turn. */
  async spooled<T>(work: () => Promise<T>): Promise<T> {
    if (!this.#free) await this.#turn();
    this.#brief += 1;
    let counted = true;
    const leave = (): void => {
      if (!counted) return;
      counted = false;
      this.#brief -= 1;
      this.#admit();
    };
    const timer = setTimeout(leave, BRIEF);
    try {
      return await work();
    } finally {
      clearTimeout(timer);
      leave();
    }
  }

  /** Lets all go that wait: they are told elsewhere that the gateway stops. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const go of this.#waiting.splice(0)) go();
  }

  get #free(): boolean {
    return this.#closed || this.#quiet || this.#brief < this.#besides;
  }

  get #quiet(): boolean {
    return this.#inline === 0 && performance.now() - this.#lastInline >= QUIET;
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#look();
    });
  }

  /** One at a time, as each counts when it has begun. */
  #admit(): void {
    if (this.#free) this.#waiting.shift()?.();
  }

  /** Nobody says when new mail has stopped coming. */
  #look(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (this.#quiet) for (const go of this.#waiting.splice(0)) go();
      else this.#admit();
      if (this.#waiting.length > 0) this.#look();
    }, QUIET);
  }
}
