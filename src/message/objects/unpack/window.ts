const FIRST = 64 * 1024;

/** Bytes that are being unpacked: grows up to a bound, and is the dictionary of what follows. */
export class Window {
  bytes: Buffer;
  length = 0;
  readonly #max: number;

  /**
   * @param max bytes that it may hold
   * @param expected bytes that it will probably hold: saves copying
   */
  constructor(max: number, expected = FIRST) {
    this.#max = max;
    this.bytes = Buffer.allocUnsafe(Math.max(0, Math.min(max, Math.max(FIRST, expected))));
  }

  /** Makes room for so many more bytes; false when they would go over the bound. */
  reserve(more: number): boolean {
    const wanted = this.length + more;
    if (wanted <= this.bytes.length) return true;
    if (wanted > this.#max) return false;
    const larger = Buffer.allocUnsafe(Math.min(this.#max, Math.max(wanted, this.bytes.length * 2)));
    this.bytes.copy(larger, 0, 0, this.length);
    this.bytes = larger;
    return true;
  }

  get max(): number {
    return this.#max;
  }

  result(): Buffer {
    return this.bytes.subarray(0, this.length);
  }
}
