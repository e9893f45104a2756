/** Small numbers by hashes: open addressing in two typed arrays. */
export class HashTable {
  readonly size: number;
  readonly #mask: number;
  readonly #keys: Uint32Array;
  readonly #values: Uint8Array;

  /** @param entries hashes of 32 bits, not 0, with values from 1 to 255; of a hash that stands twice the last counts */
  constructor(entries: readonly { readonly hash: number; readonly value: number }[]) {
    let slots = 64;
    while (slots < entries.length * 2.5) slots *= 2;
    this.size = entries.length;
    this.#mask = slots - 1;
    this.#keys = new Uint32Array(slots);
    this.#values = new Uint8Array(slots);
    for (const { hash, value } of entries) {
      let slot = hash & this.#mask;
      while (this.#keys[slot] !== 0 && this.#keys[slot] !== hash) slot = (slot + 1) & this.#mask;
      this.#keys[slot] = hash;
      this.#values[slot] = value;
    }
  }

  /** The value of a hash; 0 when there is none. */
  lookUp(hash: number): number {
    const keys = this.#keys;
    let slot = hash & this.#mask;
    for (let key = keys[slot]; key !== 0; key = keys[slot]) {
      if (key === hash) return this.#values[slot] ?? 0;
      slot = (slot + 1) & this.#mask;
    }
    return 0;
  }
}
