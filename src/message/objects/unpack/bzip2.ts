import type { Unpacked } from '../entry.js';
import { Window } from './window.js';

const BLOCK = 0x314159265359;
const FOOTER = 0x177245385090;
const RUN_A = 0;
const RUN_B = 1;
const GROUP = 50;
const MAX_CODE = 20;

const LARGEST = 900_000;
const DAMAGED = 'it is damaged (bzip2)';

/** Unpacks a .bz2 file, all its streams. */
export function unpackBzip2(packed: Buffer, max: number): Unpacked {
  const window = new Window(max, packed.length * 5);
  const bits = new Bits(packed);
  // One for all streams: a file of empty ones would have it made thousands of times.
  const room = new Uint32Array(LARGEST);
  while (bits.left >= 32) {
    if (bits.read(24) !== 0x425a68) break;
    const level = bits.read(8) - 0x30;
    if (level < 1 || level > 9) return damaged(window);
    const end = readBlocks(bits, room.subarray(0, level * 100_000), window);
    if (end === 'over') return { kind: 'over' };
    if (end === 'bad') return damaged(window);
    bits.align();
  }
  return bits.position > 0 ? { kind: 'ok', bytes: window.result() } : damaged(window);
}

function damaged(window: Window): Unpacked {
  const bytes = window.result();
  // The block that failed was decoded in vain.
  return { kind: 'damaged', detail: DAMAGED, work: bytes.length + LARGEST, ...(bytes.length > 0 ? { bytes } : {}) };
}

type End = 'ok' | 'over' | 'bad';

function readBlocks(bits: Bits, block: Uint32Array, window: Window): End {
  for (;;) {
    if (bits.left < 80) return 'bad';
    const mark = bits.read(24) * 0x1000000 + bits.read(24);
    const checksum = (bits.read(16) * 0x10000 + bits.read(16)) >>> 0;
    if (mark === FOOTER) return 'ok';
    if (mark !== BLOCK) return 'bad';
    // Randomized blocks are of version 0.9.0 and have not been written since 1999.
    if (bits.read(1) !== 0) return 'bad';
    const origin = bits.read(24);
    const length = readSymbols(bits, block);
    if (length < 0 || origin >= length || bits.exhausted) return 'bad';
    const before = window.length;
    if (!writeBlock(block, length, origin, window)) return 'over';
    if (checksumOf(window.bytes, before, window.length) !== checksum) return 'bad';
  }
}

/** Undoes Huffman coding, move-to-front and runs of zeros: the number of bytes in `block`, or -1. */
function readSymbols(bits: Bits, block: Uint32Array): number {
  const symbols = readAlphabet(bits);
  const size = symbols.length + 2;
  const tables = bits.read(3);
  const selectorCount = bits.read(15);
  if (symbols.length === 0 || tables < 2 || tables > 6 || selectorCount === 0) return -1;
  const selectors = readSelectors(bits, selectorCount, tables);
  if (selectors === undefined) return -1;
  const codes: Code[] = [];
  for (let index = 0; index < tables; index += 1) {
    const lengths = readLengths(bits, size);
    if (lengths === undefined) return -1;
    codes.push(new Code(lengths));
  }
  let length = 0;
  let run = 0;
  let weight = 1;
  for (let read = 0; ; read += 1) {
    const code = codes[selectors[Math.floor(read / GROUP)] ?? 6];
    const symbol = code?.read(bits) ?? -1;
    if (symbol < 0 || bits.exhausted) return -1;
    if (symbol === RUN_A || symbol === RUN_B) {
      run += weight << symbol;
      weight *= 2;
      if (run > block.length) return -1;
      continue;
    }
    if (run > 0) {
      if (length + run > block.length) return -1;
      block.fill(symbols[0] ?? 0, length, length + run);
      length += run;
      run = 0;
      weight = 1;
    }
    if (symbol === size - 1) return length;
    if (length >= block.length) return -1;
    const byte = symbols[symbol - 1] ?? 0;
    symbols.copyWithin(1, 0, symbol - 1);
    symbols[0] = byte;
    block[length++] = byte;
  }
}

function readAlphabet(bits: Bits): Uint8Array {
  const ranges = bits.read(16);
  const used: number[] = [];
  for (let high = 0; high < 16; high += 1) {
    if ((ranges & (0x8000 >> high)) === 0) continue;
    const some = bits.read(16);
    for (let low = 0; low < 16; low += 1) if ((some & (0x8000 >> low)) !== 0) used.push(high * 16 + low);
  }
  return Uint8Array.from(used);
}

function readSelectors(bits: Bits, count: number, tables: number): Uint8Array | undefined {
  const order = Uint8Array.from({ length: tables }, (_, index) => index);
  const selectors = new Uint8Array(count);
  for (let at = 0; at < count; at += 1) {
    let place = 0;
    while (bits.read(1) === 1) {
      place += 1;
      if (place >= tables) return undefined;
    }
    const table = order[place] ?? 0;
    order.copyWithin(1, 0, place);
    order[0] = table;
    selectors[at] = table;
  }
  return selectors;
}

function readLengths(bits: Bits, size: number): Uint8Array | undefined {
  const lengths = new Uint8Array(size);
  let length = bits.read(5);
  for (let at = 0; at < size; at += 1) {
    for (;;) {
      if (length < 1 || length > MAX_CODE || bits.exhausted) return undefined;
      if (bits.read(1) === 0) break;
      length += bits.read(1) === 0 ? 1 : -1;
    }
    lengths[at] = length;
  }
  return lengths;
}

/** A canonical Huffman code. */
class Code {
  readonly #symbols: Uint16Array;
  readonly #last = new Int32Array(MAX_CODE + 2).fill(-1);
  readonly #shift = new Int32Array(MAX_CODE + 2);
  readonly #shortest: number;

  constructor(lengths: Uint8Array) {
    const order = Array.from(lengths.keys()).sort((a, b) => (lengths[a] ?? 0) - (lengths[b] ?? 0) || a - b);
    this.#symbols = Uint16Array.from(order);
    this.#shortest = Math.min(...lengths);
    let code = 0;
    let index = 0;
    for (let length = this.#shortest; length <= MAX_CODE; length += 1) {
      const first = index;
      while (index < order.length && lengths[order[index] ?? 0] === length) index += 1;
      this.#shift[length] = code - first;
      code += index - first;
      this.#last[length] = code - 1;
      code *= 2;
    }
  }

  /** The next symbol, or -1. */
  read(bits: Bits): number {
    let length = this.#shortest;
    let code = bits.read(length);
    while (length <= MAX_CODE) {
      if (code <= (this.#last[length] ?? -1)) return this.#symbols[code - (this.#shift[length] ?? 0)] ?? -1;
      code = code * 2 + bits.read(1);
      length += 1;
    }
    return -1;
  }
}

/** Undoes the Burrows-Wheeler transform and the runs before it; false when the window's bound is passed. */
function writeBlock(block: Uint32Array, length: number, origin: number, window: Window): boolean {
  const starts = new Uint32Array(256);
  for (let at = 0; at < length; at += 1) starts[(block[at] ?? 0) & 0xff] = (starts[(block[at] ?? 0) & 0xff] ?? 0) + 1;
  let sum = 0;
  for (let byte = 0; byte < 256; byte += 1) {
    const count = starts[byte] ?? 0;
    starts[byte] = sum;
    sum += count;
  }
  // The upper bits of each byte's place hold where its successor stands.
  for (let at = 0; at < length; at += 1) {
    const byte = (block[at] ?? 0) & 0xff;
    const place = starts[byte] ?? 0;
    starts[byte] = place + 1;
    block[place] = (block[place] ?? 0) | (at << 8);
  }
  let next = (block[origin] ?? 0) >>> 8;
  let before = -1;
  let repeated = 0;
  for (let left = length; left > 0; left -= 1) {
    const word = block[next] ?? 0;
    const byte = word & 0xff;
    next = word >>> 8;
    if (repeated === 4) {
      if (!window.reserve(byte)) return false;
      window.bytes.fill(before, window.length, window.length + byte);
      window.length += byte;
      repeated = 0;
      before = -1;
      continue;
    }
    repeated = byte === before ? repeated + 1 : 1;
    before = byte;
    if (window.length >= window.bytes.length && !window.reserve(1)) return false;
    window.bytes[window.length++] = byte;
  }
  return true;
}

const CHECKSUMS = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte << 24;
  for (let bit = 0; bit < 8; bit += 1) value = value < 0 ? (value << 1) ^ 0x04c11db7 : value << 1;
  return value >>> 0;
});

/** The CRC-32 of bzip2, whose bits run the other way than zlib's. */
function checksumOf(bytes: Buffer, start: number, end: number): number {
  let sum = 0xffffffff;
  for (let at = start; at < end; at += 1) sum = (sum << 8) ^ (CHECKSUMS[(sum >>> 24) ^ (bytes[at] ?? 0)] ?? 0);
  return ~sum >>> 0;
}

/** Reads bits, the highest first. */
class Bits {
  exhausted = false;
  readonly #bytes: Buffer;
  #at = 0;
  #held = 0;
  #count = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get position(): number {
    return this.#at;
  }

  get left(): number {
    return (this.#bytes.length - this.#at) * 8 + this.#count;
  }

  /** @param count at most 24 */
  read(count: number): number {
    while (this.#count < count) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) this.exhausted = true;
      else this.#at += 1;
      this.#held = (this.#held << 8) | (byte ?? 0);
      this.#count += 8;
    }
    this.#count -= count;
    return (this.#held >>> this.#count) & ((1 << count) - 1);
  }

  align(): void {
    this.#count -= this.#count % 8;
  }
}
