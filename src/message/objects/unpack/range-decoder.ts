const TOP = 0x1000000;
/** Probabilities are of 11 bits and move by a 32nd. */
const ONE = 2048;
const SHIFT = 5;

export const EVEN = ONE / 2;

/** The adaptive binary range decoder of LZMA. */
export class RangeDecoder {
  /** Next byte of the input. */
  at = 0;
  /** More was asked for than there is. */
  exhausted = false;
  #input: Buffer = Buffer.alloc(0);
  #end = 0;
  #range = 0;
  #code = 0;

  /** Starts on `input` from `at`; false when the bytes are no start of a stream. */
  start(input: Buffer, at: number, end: number): boolean {
    this.#input = input;
    this.#end = Math.min(end, input.length);
    this.at = at + 5;
    this.exhausted = this.at > this.#end;
    if (this.exhausted || input[at] !== 0) return false;
    this.#range = 0xffffffff;
    this.#code = input.readUInt32BE(at + 1);
    return true;
  }

  bit(probabilities: Uint16Array, index: number): number {
    const chance = probabilities[index] ?? EVEN;
    const bound = (this.#range >>> 11) * chance;
    let bit = 0;
    if (this.#code < bound) {
      this.#range = bound;
      probabilities[index] = chance + ((ONE - chance) >>> SHIFT);
    } else {
      this.#range -= bound;
      this.#code -= bound;
      probabilities[index] = chance - (chance >>> SHIFT);
      bit = 1;
    }
    if (this.#range < TOP) this.#shift();
    return bit;
  }

  /** Bits of even chance, the highest first. */
  direct(count: number): number {
    let value = 0;
    for (let left = count; left > 0; left -= 1) {
      this.#range >>>= 1;
      const bit = this.#code >= this.#range ? 1 : 0;
      if (bit === 1) this.#code -= this.#range;
      value = value * 2 + bit;
      if (this.#range < TOP) this.#shift();
    }
    return value;
  }

  /** A number of `bits` bits by a tree, the highest bit first. */
  tree(probabilities: Uint16Array, offset: number, bits: number): number {
    let node = 1;
    for (let left = bits; left > 0; left -= 1) node = (node << 1) | this.bit(probabilities, offset + node);
    return node - (1 << bits);
  }

  /** The same, the lowest bit first. */
  reverseTree(probabilities: Uint16Array, offset: number, bits: number): number {
    let node = 1;
    let value = 0;
    for (let index = 0; index < bits; index += 1) {
      const bit = this.bit(probabilities, offset + node);
      node = (node << 1) | bit;
      value |= bit << index;
    }
    return value;
  }

  #shift(): void {
    this.#range = (this.#range << 8) >>> 0;
    let byte = 0;
    if (this.at < this.#end) byte = this.#input[this.at] ?? 0;
    else this.exhausted = true;
    this.at += 1;
    this.#code = ((this.#code << 8) | byte) >>> 0;
  }
}
