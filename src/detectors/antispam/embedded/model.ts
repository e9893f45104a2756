import { readFileSync } from 'node:fs';

/** First bytes of a model file: format and version. */
const MAGIC = 'GPBAYES1';
const HEAD = 16;
const ENTRY = 5;
const FILE = new URL('./model.bin', import.meta.url);

/** A feature with what was learnt of it. */
export interface ModelEntry {
  readonly hash: number;
  /** Probability that a message with this feature is spam, in 255ths: 1 to 254. */
  readonly p: number;
}

/** What training left: probabilities of features that tell something. A hash table with open addressing. */
export class Model {
  readonly size: number;
  readonly #mask: number;
  readonly #keys: Uint32Array;
  readonly #values: Uint8Array;

  constructor(entries: readonly ModelEntry[]) {
    let slots = 1024;
    while (slots < entries.length * 2.5) slots *= 2;
    this.size = entries.length;
    this.#mask = slots - 1;
    this.#keys = new Uint32Array(slots);
    this.#values = new Uint8Array(slots);
    for (const { hash, p } of entries) {
      let slot = hash & this.#mask;
      while (this.#keys[slot] !== 0 && this.#keys[slot] !== hash) slot = (slot + 1) & this.#mask;
      this.#keys[slot] = hash;
      this.#values[slot] = p;
    }
  }

  /** What is known of a feature, in 255ths; 0 when nothing is. */
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

/** The bytes of a model file: magic, number of entries, and each entry's hash and probability, in order of hashes. */
export function encodeModel(entries: readonly ModelEntry[]): Buffer {
  const sorted = [...entries].sort((a, b) => a.hash - b.hash);
  const bytes = Buffer.alloc(HEAD + sorted.length * ENTRY);
  bytes.write(MAGIC, 0, 'latin1');
  bytes.writeUInt32LE(sorted.length, 8);
  for (const [i, { hash, p }] of sorted.entries()) {
    bytes.writeUInt32LE(hash, HEAD + i * ENTRY);
    bytes.writeUInt8(p, HEAD + i * ENTRY + 4);
  }
  return bytes;
}

/** @throws Error when the bytes are no model file */
export function decodeModel(bytes: Buffer): Model {
  const count = bytes.length < HEAD ? -1 : bytes.readUInt32LE(8);
  if (bytes.toString('latin1', 0, MAGIC.length) !== MAGIC || bytes.length !== HEAD + count * ENTRY)
    throw new Error('the model of the embedded spam scorer is damaged');
  const entries: ModelEntry[] = [];
  for (let at = HEAD; at < bytes.length; at += ENTRY)
    entries.push({ hash: bytes.readUInt32LE(at), p: bytes.readUInt8(at + 4) });
  return new Model(entries);
}

let shipped: Model | undefined;

/** The model that Gatepost comes with, read when it is first asked for, once in a thread. */
export function shippedModel(): Model {
  shipped ??= decodeModel(readFileSync(FILE));
  return shipped;
}
