/**
 * What all sessions together hold in memory. Beyond the limit messages go to files, and a header block, which has to be
 * in memory until it is complete, is put off when it is long. So no more is held than the limit, and 64 KiB for each
 * session. One client may hold no more than it leaves free: whoever comes next finds room, however long the others
 * keep theirs.
 */
export class MemoryBudget {
  readonly #limit: number;
  #used = 0;
  readonly #byClient = new Map<string, number>();

  /** @param limit in bytes */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Bytes that are held. */
  get used(): number {
    return this.#used;
  }

  /**
   * Counts what is held from now on.
   * @param bytes below 0 for what is given back
   * @param client as in `isShort`
   */
  count(bytes: number, client: string | undefined): void {
    this.#used += bytes;
    if (client === undefined) return;
    const own = (this.#byClient.get(client) ?? 0) + bytes;
    if (own > 0) this.#byClient.set(client, own);
    else this.#byClient.delete(client);
  }

  /** Whether too much is held. @param client the one that asks (see `rateKey`); undefined for one that may have all */
  isShort(client: string | undefined): boolean {
    const own = client === undefined ? 0 : (this.#byClient.get(client) ?? 0);
    return own > this.#limit - this.#used;
  }
}
