import type { ByteRange } from '../types.js';
import { type Base64Oddities, decodeBase64 } from './base64.js';

const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const TAB = 0x09;
const EQUALS = 0x3d;
/** RFC 5322 2.1.1. */
const MAX_LINE = 998;

/** Base64 in the reading of those who stop at the first padding. No message can name it: it holds a space. */
export const STOPPED_BASE64 = 'base64 to its padding';

/**
 * The bytes of a body with its transfer encoding undone (RFC 2045 6), read as leniently as clients read it. For an
 * encoding that changes nothing, and for one that nobody knows, this is a view of the message and no copy.
 */
export function decodeTransfer(bytes: Buffer, body: ByteRange, encoding: string, oddities?: Base64Oddities): Buffer {
  switch (encoding) {
    case 'base64':
      return decodeBase64(bytes.subarray(body.start, body.end), oddities);
    case STOPPED_BASE64:
      return decodeStopped(bytes.subarray(body.start, body.end));
    case 'quoted-printable':
      return decodeQuotedPrintable(bytes.subarray(body.start, body.end));
    case 'uuencode':
    case 'x-uuencode':
    case 'x-uue':
      return decodeUu(bytes.subarray(body.start, body.end));
    default:
      return bytes.subarray(body.start, body.end);
  }
}

function decodeStopped(input: Buffer): Buffer {
  const oddities = { illegal: false, stopsAt: -1 };
  const decoded = decodeBase64(input, oddities);
  return oddities.stopsAt < 0 ? decoded : decoded.subarray(0, oddities.stopsAt);
}

/** Quoted-printable (RFC 2045 6.7); what is no escape stays as it is. */
export function decodeQuotedPrintable(input: Buffer): Buffer {
  const first = input.indexOf(EQUALS);
  if (first < 0) return input;
  const out = Buffer.allocUnsafe(input.length);
  let length = input.copy(out, 0, 0, first);
  const end = input.length;
  let at = first;
  while (at < end) {
    // Escapes are dense where there are any: byte by byte is faster than a search for each.
    while (at < end && input[at] !== EQUALS) {
      out[length] = input[at] ?? 0;
      length += 1;
      at += 1;
    }
    if (at >= end) break;
    at += 1;
    const high = hexValue(input[at]);
    const low = hexValue(input[at + 1]);
    if (high >= 0 && low >= 0) {
      out[length] = high * 16 + low;
      length += 1;
      at += 2;
      continue;
    }
    const soft = softBreak(input, at);
    if (soft >= 0) at = soft;
    else {
      out[length] = EQUALS;
      length += 1;
    }
  }
  return out.subarray(0, length);
}

/** Position behind a soft line break, or -1 when there is none. */
function softBreak(input: Buffer, start: number): number {
  let at = start;
  const bound = Math.min(input.length, start + MAX_LINE);
  while (at < bound && (input[at] === SPACE || input[at] === TAB)) at += 1;
  if (at >= input.length) return at;
  if (input[at] === LF) return at + 1;
  if (input[at] === CR) return input[at + 1] === LF ? at + 2 : at + 1;
  return -1;
}

function hexValue(code: number | undefined): number {
  if (code === undefined) return -1;
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  if (code >= 0x41 && code <= 0x46) return code - 0x37;
  if (code >= 0x61 && code <= 0x66) return code - 0x57;
  return -1;
}

/** The first uuencoded file in a text (POSIX uuencode); empty when there is none. */
export function decodeUu(input: Buffer): Buffer {
  const blank = input.indexOf('begin ');
  const begin = blank < 0 ? input.indexOf('begin\t') : blank;
  let at = begin < 0 ? 0 : input.indexOf(LF, begin) + 1;
  const out = Buffer.allocUnsafe(Math.ceil(input.length * 0.75) + 3);
  let length = 0;
  while (at < input.length) {
    const feed = input.indexOf(LF, at);
    const end = feed < 0 ? input.length : feed;
    const count = ((input[at] ?? 0x20) - 0x20) & 0x3f;
    if (count === 0 || input.toString('latin1', at, at + 3) === 'end') break;
    const lineStart = length;
    for (let from = at + 1; length - lineStart < count && from < end; from += 4) {
      const group =
        (sixBits(input[from]) << 18) |
        (sixBits(input[from + 1]) << 12) |
        (sixBits(input[from + 2]) << 6) |
        sixBits(input[from + 3]);
      out[length++] = group >> 16;
      if (length - lineStart < count) out[length++] = (group >> 8) & 0xff;
      if (length - lineStart < count) out[length++] = group & 0xff;
    }
    at = end + 1;
  }
  return out.subarray(0, length);
}

function sixBits(code: number | undefined): number {
  return code === undefined ? 0 : (code - 0x20) & 0x3f;
}
