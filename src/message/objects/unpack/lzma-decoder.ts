import { EVEN, RangeDecoder } from './range-decoder.js';
import type { Window } from './window.js';

const STATES = 12;
const MAX_POSITIONS = 16;
const MIN_MATCH = 2;
/** Lengths: a choice, a second one, 8 low and 8 middle trees by position, one high tree. */
const LENGTH_LOW = 2;
const LENGTH_MIDDLE = LENGTH_LOW + MAX_POSITIONS * 8;
const LENGTH_HIGH = LENGTH_MIDDLE + MAX_POSITIONS * 8;
const LENGTH_SIZE = LENGTH_HIGH + 256;
const END_MARK = 0xffffffff;

/** How decoding ended: at the wanted length, at a mark in the stream, at the window's bound, or at damage. */
export type LzmaEnd = 'stop' | 'end' | 'over' | 'bad';

/** A decoder of LZMA streams, as the LZMA specification describes them. Its dictionary is all that it has written. */
export class LzmaDecoder {
  readonly range = new RangeDecoder();
  readonly #window: Window;
  /** Where the dictionary starts in the window. */
  #base: number;
  #lc = 0;
  #lpMask = 0;
  #pbMask = 0;
  #state = 0;
  #rep0 = 0;
  #rep1 = 0;
  #rep2 = 0;
  #rep3 = 0;
  #literals = new Uint16Array(0);
  readonly #isMatch = new Uint16Array(STATES * MAX_POSITIONS);
  readonly #isRep = new Uint16Array(STATES);
  readonly #isRep0 = new Uint16Array(STATES);
  readonly #isRep1 = new Uint16Array(STATES);
  readonly #isRep2 = new Uint16Array(STATES);
  readonly #isRep0Long = new Uint16Array(STATES * MAX_POSITIONS);
  readonly #slots = new Uint16Array(4 * 64);
  readonly #special = new Uint16Array(128);
  readonly #align = new Uint16Array(16);
  readonly #matchLength = new Uint16Array(LENGTH_SIZE);
  readonly #repLength = new Uint16Array(LENGTH_SIZE);

  constructor(window: Window) {
    this.#window = window;
    this.#base = window.length;
  }

  /** Takes the byte that holds lc, lp and pb; false when it holds none. */
  setProperties(byte: number): boolean {
    if (byte >= 225) return false;
    this.#lc = byte % 9;
    const rest = Math.floor(byte / 9);
    this.#lpMask = (1 << (rest % 5)) - 1;
    this.#pbMask = (1 << Math.floor(rest / 5)) - 1;
    this.#literals = new Uint16Array(0x300 << (this.#lc + (rest % 5)));
    this.resetState();
    return true;
  }

  resetDictionary(): void {
    this.#base = this.#window.length;
  }

  resetState(): void {
    this.#state = 0;
    this.#rep0 = this.#rep1 = this.#rep2 = this.#rep3 = 0;
    for (const table of [
      this.#literals,
      this.#isMatch,
      this.#isRep,
      this.#isRep0,
      this.#isRep1,
      this.#isRep2,
      this.#isRep0Long,
      this.#slots,
      this.#special,
      this.#align,
      this.#matchLength,
      this.#repLength,
    ]) {
      table.fill(EVEN);
    }
  }

  /**
   * Decodes until the window is of a length.
   * @param stopAt `Infinity` where only a mark in the stream tells the end
   */
  decode(stopAt: number): LzmaEnd {
    const window = this.#window;
    const range = this.range;
    while (window.length < stopAt) {
      if (range.exhausted) return 'bad';
      const position = window.length - this.#base;
      const slot = position & this.#pbMask;
      if (range.bit(this.#isMatch, this.#state * MAX_POSITIONS + slot) === 0) {
        if (!window.reserve(1)) return 'over';
        this.#literal(position);
        continue;
      }
      let length: number;
      if (range.bit(this.#isRep, this.#state) === 1) {
        if (position === 0) return 'bad';
        const short = this.#repeat(slot);
        length = short ? 1 : MIN_MATCH + this.#length(this.#repLength, slot);
        if (!short) this.#state = this.#state < 7 ? 8 : 11;
      } else {
        this.#rep3 = this.#rep2;
        this.#rep2 = this.#rep1;
        this.#rep1 = this.#rep0;
        length = MIN_MATCH + this.#length(this.#matchLength, slot);
        this.#state = this.#state < 7 ? 7 : 10;
        this.#rep0 = this.#distance(length);
        if (this.#rep0 === END_MARK) return 'end';
      }
      if (this.#rep0 >= position) return 'bad';
      const count = Math.min(length, stopAt - window.length);
      if (!window.reserve(count)) return 'over';
      this.#copy(count);
      if (count < length) return 'bad';
    }
    return 'stop';
  }

  #literal(position: number): void {
    const window = this.#window;
    const range = this.range;
    const bytes = window.bytes;
    const before = position > 0 ? (bytes[window.length - 1] ?? 0) : 0;
    const context = ((position & this.#lpMask) << this.#lc) + (before >> (8 - this.#lc));
    const offset = 0x300 * context;
    let symbol = 1;
    if (this.#state >= 7 && this.#rep0 < position) {
      let match = bytes[window.length - this.#rep0 - 1] ?? 0;
      while (symbol < 0x100) {
        const matchBit = (match >> 7) & 1;
        match <<= 1;
        const bit = range.bit(this.#literals, offset + ((1 + matchBit) << 8) + symbol);
        symbol = (symbol << 1) | bit;
        if (matchBit !== bit) break;
      }
    }
    while (symbol < 0x100) symbol = (symbol << 1) | range.bit(this.#literals, offset + symbol);
    bytes[window.length++] = symbol;
    this.#state = this.#state < 4 ? 0 : this.#state < 10 ? this.#state - 3 : this.#state - 6;
  }

  /** Takes one of the last four distances to the front; true for a match of one byte. */
  #repeat(slot: number): boolean {
    const range = this.range;
    if (range.bit(this.#isRep0, this.#state) === 0) {
      if (range.bit(this.#isRep0Long, this.#state * MAX_POSITIONS + slot) === 0) {
        this.#state = this.#state < 7 ? 9 : 11;
        return true;
      }
      return false;
    }
    let distance = this.#rep1;
    if (range.bit(this.#isRep1, this.#state) === 1) {
      distance = this.#rep2;
      if (range.bit(this.#isRep2, this.#state) === 1) {
        distance = this.#rep3;
        this.#rep3 = this.#rep2;
      }
      this.#rep2 = this.#rep1;
    }
    this.#rep1 = this.#rep0;
    this.#rep0 = distance;
    return false;
  }

  #length(table: Uint16Array, slot: number): number {
    const range = this.range;
    if (range.bit(table, 0) === 0) return range.tree(table, LENGTH_LOW + slot * 8, 3);
    if (range.bit(table, 1) === 0) return 8 + range.tree(table, LENGTH_MIDDLE + slot * 8, 3);
    return 16 + range.tree(table, LENGTH_HIGH, 8);
  }

  #distance(length: number): number {
    const range = this.range;
    const slot = range.tree(this.#slots, Math.min(length - MIN_MATCH, 3) * 64, 6);
    if (slot < 4) return slot;
    const bits = (slot >> 1) - 1;
    const high = (2 | (slot & 1)) * 2 ** bits;
    if (slot < 14) return high + range.reverseTree(this.#special, high - slot, bits);
    return high + range.direct(bits - 4) * 16 + range.reverseTree(this.#align, 0, 4);
  }

  #copy(count: number): void {
    const window = this.#window;
    const from = window.length - this.#rep0 - 1;
    const { bytes } = window;
    // An overlapping copy repeats what it has just written.
    if (this.#rep0 + 1 >= count) bytes.copyWithin(window.length, from, from + count);
    else for (let at = 0; at < count; at += 1) bytes[window.length + at] = bytes[from + at] ?? 0;
    window.length += count;
  }
}
