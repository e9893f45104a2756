import type { Part } from '../types.js';
import { decodeTransfer } from './transfer.js';

/** Larger bodies are decoded again each time. */
const MAX_KEPT = 1024 * 1024;

/** The decoded body of a part under its declared encoding. Small ones are kept as long as the part is. */
export function bodyOf(bytes: Buffer, part: Part): Buffer {
  if (part.kept?.body !== undefined) return part.kept.body;
  const body = decodeTransfer(bytes, part.body, part.encoding);
  if (part.kept !== undefined && body.length <= MAX_KEPT) part.kept.body = body;
  return body;
}
