/** Texts in memory that threads share; a look-up is one step in a hash table. Plain data. */
export interface KeyData {
  /** Each text: its length in bytes (two of them, low first), then UTF-8. */
  readonly bytes: Uint8Array;
  /** Positions in `bytes` plus one, by hash; 0 is free. Its length is a power of two. */
  readonly slots: Uint32Array;
  readonly count: number;
}

const LONGEST = 0xffff;

/** Collects texts into `KeyData`. */
export class KeyBuilder {
  private bytes = new Uint8Array(4096);
  private used = 0;
  private count = 0;

  add(text: string): void {
    this.addBytes(Buffer.from(text, 'utf8'), 0);
  }

  /** Adds bytes as they are, or capital letters of ASCII made small. @param end position behind the last one */
  addBytes(from: Uint8Array, start: number, end: number = from.length, lower = false): void {
    const length = Math.min(end - start, LONGEST);
    this.reserve(length + 2);
    const { bytes } = this;
    bytes[this.used++] = length & 0xff;
    bytes[this.used++] = length >> 8;
    for (let i = start; i < start + length; i++) {
      const byte = from[i] ?? 0;
      bytes[this.used++] = lower && byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;
    }
    this.count++;
  }

  build(): KeyData {
    const bytes = new Uint8Array(new SharedArrayBuffer(this.used));
    bytes.set(this.bytes.subarray(0, this.used));
    let size = 8;
    while (size < this.count * 2) size *= 2;
    const slots = new Uint32Array(new SharedArrayBuffer(size * 4));
    let count = 0;
    for (let at = 0; at < this.used; at += 2 + lengthAt(bytes, at)) {
      const length = lengthAt(bytes, at);
      const slot = findSlot({ bytes, slots, count }, bytes, at + 2, length);
      if (slots[slot] !== 0) continue;
      slots[slot] = at + 1;
      count++;
    }
    return { bytes, slots, count };
  }

  private reserve(more: number): void {
    if (this.used + more <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.used + more));
    larger.set(this.bytes);
    this.bytes = larger;
  }
}

export function hasKey(data: KeyData, text: string): boolean {
  if (data.count === 0) return false;
  const wanted = Buffer.from(text, 'utf8');
  return data.slots[findSlot(data, wanted, 0, wanted.length)] !== 0;
}

/** All texts, each once. */
export function* keysOf({ bytes, slots }: KeyData): Generator<string> {
  for (const slot of slots) {
    if (slot === 0) continue;
    const at = slot - 1;
    yield Buffer.from(bytes.subarray(at + 2, at + 2 + lengthAt(bytes, at))).toString('utf8');
  }
}

/** The slot that holds the text, else the free one that it would take. */
function findSlot({ bytes, slots }: KeyData, wanted: Uint8Array, start: number, length: number): number {
  const last = slots.length - 1;
  let slot = hash(wanted, start, length) & last;
  for (;;) {
    const at = (slots[slot] ?? 0) - 1;
    if (at < 0 || (lengthAt(bytes, at) === length && same(bytes, at + 2, wanted, start, length))) return slot;
    slot = (slot + 1) & last;
  }
}

/** FNV-1a, its bits mixed once more as only the low ones are used. */
function hash(bytes: Uint8Array, start: number, length: number): number {
  let value = 0x811c9dc5;
  for (let i = start; i < start + length; i++) value = Math.imul(value ^ (bytes[i] ?? 0), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  return (value ^ (value >>> 13)) >>> 0;
}

function lengthAt(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
}

function same(a: Uint8Array, atA: number, b: Uint8Array, atB: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (a[atA + i] !== b[atB + i]) return false;
  return true;
}
