/** An address as numbers of 32 bits, the most significant first: one for IPv4, four for IPv6. */
export type Words = readonly number[];

export interface Network {
  /** Of its first address. */
  readonly words: Words;
  /** Length of its prefix. */
  readonly bits: number;
}

/** @param bytes 4 or 16 of them */
export function addressWords(bytes: readonly number[]): Words {
  const words: number[] = [];
  for (let i = 0; i < bytes.length; i += 4)
    words.push(
      (((bytes[i] ?? 0) << 24) | ((bytes[i + 1] ?? 0) << 16) | ((bytes[i + 2] ?? 0) << 8) | (bytes[i + 3] ?? 0)) >>> 0,
    );
  return words;
}

/** The words with all bits behind the prefix cleared. */
export function prefixOf(words: Words, bits: number): Words {
  return words.map((word, i) => (word & maskOf(bits - i * 32)) >>> 0);
}

/** First and last addresses of ranges in order, none touching another. Plain data; its memory is shared by threads. */
export interface RangeData {
  /** Words of first addresses, then of last ones. */
  readonly v4: Uint32Array;
  readonly v6: Uint32Array;
}

/** Networks in order: a look-up is a binary search, however many there are. */
export class NetworkRanges {
  readonly data: RangeData;

  constructor(given: Iterable<Network> | RangeData) {
    this.data = isData(given) ? given : rangesOf(given);
  }

  /** Number of ranges. */
  get size(): number {
    return this.data.v4.length / 2 + this.data.v6.length / 8;
  }

  /** The first address of a range. */
  get first(): Words | undefined {
    const { v4, v6 } = this.data;
    return v4.length > 0 ? [...v4.subarray(0, 1)] : v6.length > 0 ? [...v6.subarray(0, 4)] : undefined;
  }

  has(words: Words): boolean {
    return this.hasAll(words, words);
  }

  /** Whether all addresses from the first to the last belong to one range. */
  hasAll(first: Words, last: Words): boolean {
    const width = first.length;
    const table = width === 1 ? this.data.v4 : this.data.v6;
    const count = table.length / (2 * width);
    let low = 0;
    let high = count;
    // The last range that begins at or before the address is the only one that can hold it.
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compare(table, middle * width, first, width) <= 0) low = middle + 1;
      else high = middle;
    }
    return low > 0 && compare(table, (count + low - 1) * width, last, width) >= 0;
  }

  every(holds: (first: Words, last: Words) => boolean): boolean {
    for (const [table, width] of [
      [this.data.v4, 1],
      [this.data.v6, 4],
    ] as const) {
      const half = table.length / 2;
      for (let at = 0; at < half; at += width)
        if (!holds([...table.subarray(at, at + width)], [...table.subarray(half + at, half + at + width)]))
          return false;
    }
    return true;
  }
}

function isData(given: Iterable<Network> | RangeData): given is RangeData {
  return 'v4' in given;
}

function rangesOf(networks: Iterable<Network>): RangeData {
  const collector = new RangeCollector();
  for (const network of networks) collector.add(network);
  return collector.build();
}

/** Collects networks, a million of them if need be, into `RangeData`. */
export class RangeCollector {
  private readonly v4 = new RangeBuilder(1);
  private readonly v6 = new RangeBuilder(4);

  add(network: Network): void {
    (network.words.length === 1 ? this.v4 : this.v6).add(network);
  }

  build(): RangeData {
    return { v4: this.v4.build(), v6: this.v6.build() };
  }
}

class RangeBuilder {
  private readonly width: number;
  private starts = new Uint32Array(1024);
  private bits = new Uint8Array(256);
  private count = 0;

  constructor(width: 1 | 4) {
    this.width = width;
  }

  add({ words, bits }: Network): void {
    const { width } = this;
    if ((this.count + 1) * width > this.starts.length) this.starts = doubled(this.starts);
    if (this.count + 1 > this.bits.length) {
      const larger = new Uint8Array(this.bits.length * 2);
      larger.set(this.bits);
      this.bits = larger;
    }
    for (let i = 0; i < width; i++) this.starts[this.count * width + i] = words[i] ?? 0;
    this.bits[this.count] = bits;
    this.count++;
  }

  /** Ranges in order; those that overlap become one. */
  build(): Uint32Array {
    const { width, starts, bits, count } = this;
    const order = this.order();
    const first = new Uint32Array(count * width);
    const last = new Uint32Array(count * width);
    let kept = 0;
    for (const index of order) {
      const end = endOf(starts.subarray(index * width, (index + 1) * width), bits[index] ?? 0);
      const from = index * width;
      if (kept > 0 && compareParts(last, (kept - 1) * width, starts, from, width) >= 0) {
        // Networks nest or are apart: the one that begins first is the wider one.
        continue;
      }
      first.set(starts.subarray(from, from + width), kept * width);
      last.set(end, kept * width);
      kept++;
    }
    const table = new Uint32Array(new SharedArrayBuffer(kept * width * 2 * 4));
    table.set(first.subarray(0, kept * width));
    table.set(last.subarray(0, kept * width), kept * width);
    return table;
  }

  /** Positions by first address, wider networks before narrower ones with the same. */
  private order(): Uint32Array {
    const { width, starts, bits, count } = this;
    if (width === 1) {
      // One number holds what orders and the position: sorting numbers needs no comparisons of ours.
      const keys = new BigUint64Array(count);
      for (let i = 0; i < count; i++) keys[i] = (BigInt((starts[i] ?? 0) * 64 + (bits[i] ?? 0)) << 26n) | BigInt(i);
      keys.sort();
      return Uint32Array.from(keys, (key) => Number(key & 0x3ffffffn));
    }
    return Uint32Array.from({ length: count }, (_, i) => i).sort(
      (a, b) => compareParts(starts, a * width, starts, b * width, width) || (bits[a] ?? 0) - (bits[b] ?? 0),
    );
  }
}

function doubled(array: Uint32Array): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(array.length * 2);
  larger.set(array);
  return larger;
}

function endOf(start: Uint32Array, bits: number): Uint32Array {
  return start.map((word, i) => (word | ~maskOf(bits - i * 32)) >>> 0);
}

/** The first bits of a word, as many as are left of the prefix. */
function maskOf(left: number): number {
  return left <= 0 ? 0 : left >= 32 ? 0xffffffff : (0xffffffff << (32 - left)) >>> 0;
}

function compare(table: Uint32Array, at: number, words: Words, width: number): number {
  for (let i = 0; i < width; i++) {
    const difference = (table[at + i] ?? 0) - (words[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function compareParts(a: Uint32Array, atA: number, b: Uint32Array, atB: number, width: number): number {
  for (let i = 0; i < width; i++) {
    const difference = (a[atA + i] ?? 0) - (b[atB + i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
