interface Entry<T> {
  readonly value: T;
  readonly expires: number;
}

export interface Fresh<T> {
  readonly value: T;
  /** ms for which it holds. */
  readonly ttl: number;
}

/** Remembers what questions were answered with, each for its own time, and asks one that is on its way only once. */
export class TtlCache<T> {
  readonly #entries = new Map<string, Entry<T>>();
  readonly #asked = new Map<string, Promise<T>>();
  readonly #limit: number;
  readonly #now: () => number;

  /** @param limit entries; the one that was put in first goes first */
  constructor(limit: number, now: () => number) {
    this.#limit = limit;
    this.#now = now;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The remembered answer, or what `ask` says, which is then remembered. A rejection is not remembered. */
  async get(key: string, ask: () => Promise<Fresh<T>>): Promise<T> {
    const known = this.#entries.get(key);
    if (known !== undefined && known.expires > this.#now()) return known.value;
    const running = this.#asked.get(key);
    if (running !== undefined) return await running;
    const asking = this.#ask(key, ask);
    this.#asked.set(key, asking);
    try {
      return await asking;
    } finally {
      this.#asked.delete(key);
    }
  }

  async #ask(key: string, ask: () => Promise<Fresh<T>>): Promise<T> {
    const { value, ttl } = await ask();
    this.#entries.delete(key);
    if (ttl > 0) {
      for (const oldest of this.#entries.keys()) {
        if (this.#entries.size < this.#limit) break;
        this.#entries.delete(oldest);
      }
      this.#entries.set(key, { value, expires: this.#now() + ttl });
    }
    return value;
  }
}
