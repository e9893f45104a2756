/** Reads the numbers and bits of a 7z header; past its end everything is 0, and `failed()` says so. */
export class HeaderReader {
  at = 0;
  #failed = false;
  readonly bytes: Buffer;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  failed(): boolean {
    return this.#failed;
  }

  /** Gives the header up as damaged; what is read from here on is nothing. */
  fail(): readonly [] {
    this.#failed = true;
    return [];
  }

  byte(): number {
    const value = this.bytes[this.at];
    if (value === undefined) this.#failed = true;
    this.at += 1;
    return value ?? 0;
  }

  /** Its first byte tells by its leading ones how many follow. */
  number(): number {
    const first = this.byte();
    let value = 0;
    let mask = 0x80;
    for (let index = 0; index < 8; index += 1) {
      if ((first & mask) === 0) return value + (first & (mask - 1)) * 2 ** (8 * index);
      value += this.byte() * 2 ** (8 * index);
      mask >>= 1;
    }
    return value;
  }

  take(length: number): Buffer {
    if (length > this.bytes.length - this.at) this.#failed = true;
    const part = this.bytes.subarray(this.at, this.at + length);
    this.at += length;
    return part;
  }

  /** As many bits, the highest of each byte first. */
  bits(count: number): readonly boolean[] {
    const bytes = this.take(Math.ceil(count / 8));
    return Array.from(
      { length: this.#failed ? 0 : count },
      (_, at) => ((bytes[at >> 3] ?? 0) & (0x80 >> (at & 7))) !== 0,
    );
  }

  /** Bits that are left out when all are set. */
  optionalBits(count: number): readonly boolean[] {
    return this.byte() === 0 ? this.bits(count) : Array.from({ length: count }, () => true);
  }
}
