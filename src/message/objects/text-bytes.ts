import { decodeUnlabelled } from '../decode/charset.js';

/** A text that ends at a NUL, at a length, or at the end of the bytes. */
export function readCString(bytes: Buffer, start: number, max: number): string {
  const field = bytes.subarray(start, start + max);
  const end = field.indexOf(0);
  return decodeUnlabelled(end < 0 ? field : field.subarray(0, end));
}
