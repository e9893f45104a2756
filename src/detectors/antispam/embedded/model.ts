import { readFileSync } from 'node:fs';
import { assetUrl } from '../../../config/modules.js';
import { HashTable } from './hash-table.js';

/** First bytes of a model file: format and version. */
const MAGIC = 'GPBAYES1';
const HEAD = 16;
const ENTRY = 5;
const FILE = assetUrl('detectors/antispam/embedded/model.bin');

/** A feature with what was learnt of it. */
export interface ModelEntry {
  readonly hash: number;
  /** Probability that a message with this feature is spam, in 255ths: 1 to 254. */
  readonly value: number;
}

/** What training left: the probabilities of features that tell something. */
export type Model = HashTable;

/** The bytes of a model file: magic, number of entries, and each entry's hash and probability, in order of hashes. */
export function encodeModel(entries: readonly ModelEntry[]): Buffer {
  const sorted = [...entries].sort((a, b) => a.hash - b.hash);
  const bytes = Buffer.alloc(HEAD + sorted.length * ENTRY);
  bytes.write(MAGIC, 0, 'latin1');
  bytes.writeUInt32LE(sorted.length, 8);
  for (const [i, { hash, value }] of sorted.entries()) {
    bytes.writeUInt32LE(hash, HEAD + i * ENTRY);
    bytes.writeUInt8(value, HEAD + i * ENTRY + 4);
  }
  return bytes;
}

/** @throws Error when the bytes are no model file */
export function decodeModel(bytes: Buffer): Model {
  return new HashTable(readEntries(bytes));
}

/** The entries of a model file. @throws Error when the bytes are none */
export function readEntries(bytes: Buffer): readonly ModelEntry[] {
  const count = bytes.length < HEAD ? -1 : bytes.readUInt32LE(8);
  if (bytes.toString('latin1', 0, MAGIC.length) !== MAGIC || bytes.length !== HEAD + count * ENTRY)
    throw new Error('the model of the embedded spam scorer is damaged');
  const entries: ModelEntry[] = [];
  for (let at = HEAD; at < bytes.length; at += ENTRY)
    entries.push({ hash: bytes.readUInt32LE(at), value: bytes.readUInt8(at + 4) });
  return entries;
}

let shipped: Model | undefined;

/** The model that Gatepost comes with, read when it is first asked for, once in a thread. */
export function shippedModel(): Model {
  shipped ??= decodeModel(readFileSync(FILE));
  return shipped;
}
