import type { ByteRange } from '../types.js';
import { decodeUnlabelled } from './charset.js';
import { decodeWords } from './words.js';

/** Bytes of one field value that are decoded; what is longer is cut. */
const MAX_VALUE = 256 * 1024;

/** The value of a field with its folding undone (RFC 5322 2.2.3), one character for each byte. */
export function rawValue(bytes: Buffer, range: ByteRange): string {
  const text = bytes.toString('latin1', range.start, Math.min(range.end, range.start + MAX_VALUE));
  return (text.includes('\n') ? text.replace(/\r?\n/g, '') : text).trim();
}

/** A text of one character for each byte with its 8-bit characters decoded: UTF-8 when valid, else windows-1252. */
export function decodeRaw(raw: string): string {
  return /[\u0080-\u00ff]/.test(raw) ? decodeUnlabelled(Buffer.from(raw, 'latin1')) : raw;
}

/** The value of an unstructured field for people: unfolded, 8-bit and encoded words decoded (RFC 2047 5). */
export function decodeValue(bytes: Buffer, range: ByteRange): string {
  return decodeWords(decodeRaw(rawValue(bytes, range)));
}
