const MAX_SMALL = 64;
const SMALL_BYTES = 16 * 1024;

/** Pieces of bytes in order. Many small ones are joined, so that a client that sends single bytes costs little memory. */
export class PieceList {
  readonly #done: Buffer[] = [];
  #recent: Buffer[] = [];
  #recentBytes = 0;

  add(piece: Buffer): void {
    this.#recent.push(piece);
    this.#recentBytes += piece.length;
    if (this.#recent.length < MAX_SMALL) return;
    if (this.#recentBytes <= SMALL_BYTES) this.#done.push(Buffer.concat(this.#recent));
    else this.#done.push(...this.#recent);
    this.#recent = [];
    this.#recentBytes = 0;
  }

  /** All pieces; the list is not to be used afterwards. */
  take(): readonly Buffer[] {
    return this.#done.length === 0 ? this.#recent : [...this.#done, ...this.#recent];
  }
}
