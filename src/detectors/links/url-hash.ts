/** Sorted 64-bit hashes as pairs of 32-bit words (low, high), in memory that threads share. */
export type HashSet = Uint32Array<SharedArrayBuffer>;

/** Result of the last `hash64`: handing out two numbers without an object for each. */
const last = { low: 0, high: 0 };

/** A 64-bit hash of a text (two lanes of multiply and rotate, after MurmurHash3's mixer). Not for secrets. */
export function hash64(text: string): { readonly low: number; readonly high: number } {
  let a = 0x9e3779b9;
  let b = 0x85ebca6b;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    a = Math.imul(a ^ code, 0xcc9e2d51);
    a = (a << 15) | (a >>> 17);
    b = Math.imul(b ^ code, 0x1b873593);
    b = (b << 13) | (b >>> 19);
    b = (b + a) | 0;
  }
  last.low = mix(a ^ text.length ^ Math.imul(b, 5));
  last.high = mix(b ^ Math.imul(a, 7));
  return last;
}

function mix(given: number): number {
  let h = given;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Collects hashes and makes the sorted set of them: 8 bytes each. */
export class HashSetBuilder {
  #words = new Uint32Array(2 * 1024);
  #count = 0;

  add(text: string): void {
    if (2 * this.#count === this.#words.length) {
      const larger = new Uint32Array(2 * this.#words.length);
      larger.set(this.#words);
      this.#words = larger;
    }
    const { low, high } = hash64(text);
    this.#words[2 * this.#count] = low;
    this.#words[2 * this.#count + 1] = high;
    this.#count += 1;
  }

  build(): HashSet {
    // Little-endian words are the 64-bit numbers that the platform sorts natively.
    new BigUint64Array(this.#words.buffer, 0, this.#count).sort();
    const shared = new Uint32Array(new SharedArrayBuffer(8 * this.#count));
    shared.set(this.#words.subarray(0, 2 * this.#count));
    return shared;
  }
}

/** Whether the text was added, by binary search. */
export function hashSetHas(set: HashSet, text: string): boolean {
  const { low, high } = hash64(text);
  let from = 0;
  let to = set.length / 2 - 1;
  while (from <= to) {
    const middle = (from + to) >>> 1;
    const itsHigh = set[2 * middle + 1] ?? 0;
    const itsLow = set[2 * middle] ?? 0;
    if (itsHigh === high && itsLow === low) return true;
    if (itsHigh < high || (itsHigh === high && itsLow < low)) from = middle + 1;
    else to = middle - 1;
  }
  return false;
}
