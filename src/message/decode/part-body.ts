import type { Part } from '../types.js';
import { decodeTransfer } from './transfer.js';

/** Larger bodies are decoded again each time. */
const MAX_KEPT = 1024 * 1024;

const kept = new WeakMap<Part, Buffer>();

/** The decoded body of a part under its declared encoding. Small ones are kept as long as the part is. */
export function bodyOf(bytes: Buffer, part: Part): Buffer {
  const known = kept.get(part);
  if (known !== undefined) return known;
  const body = decodeTransfer(bytes, part.body, part.encoding);
  if (body.length <= MAX_KEPT) kept.set(part, body);
  return body;
}
