const EQUALS = 0x3d;
const CR = 0x0d;
const LF = 0x0a;
/** The alphabet for URLs has these two; the native decoder reads both alphabets, mail has one. */
const DASH = 0x2d;
const UNDERSCORE = 0x5f;

/** Value of each byte in the base64 alphabet (RFC 4648 4), or -1. */
const VALUES = new Int8Array(256).fill(-1);
for (const [value, char] of Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/').entries()) {
  VALUES[char.charCodeAt(0)] = value;
}

/** What is wrong with a text in base64; filled in while it is decoded. */
export interface Base64Oddities {
  /** Characters outside the alphabet, or padding that is missing, wrong or out of place. */
  illegal: boolean;
  /** Bytes that a reader gets which stops at the first padding; -1 where none is followed by more data. */
  stopsAt: number;
}

/**
 * Bytes that are a text at once, or so. V8 maps memory for each longer text and gives it back soon after:
 * that costs several times what the decoding does.
 */
const PIECE = 64 * 1024;

/**
 * Decodes base64 as leniently as mail clients do (RFC 2045 6.8): characters outside the alphabet are skipped, missing
 * padding is no error, and padding in the middle ends one run and starts the next, as when a sender joined several.
 * @param oddities where to note what is wrong
 */
export function decodeBase64(input: Buffer, oddities?: Base64Oddities): Buffer {
  const decoded = decodeTidy(input);
  if (decoded === undefined) return decodeAny(input, oddities);
  if (oddities !== undefined) {
    oddities.illegal = false;
    oddities.stopsAt = -1;
  }
  return decoded;
}

/**
 * Decodes what a program wrote by the book, natively: lines of one length, the alphabet and nothing else, the right
 * padding at the end. Undefined for anything else.
 */
function decodeTidy(input: Buffer): Buffer | undefined {
  let end = input.length;
  while (end > 0 && (input[end - 1] === LF || input[end - 1] === CR)) end -= 1;
  const width = input.indexOf(CR);
  let breaks = 0;
  if (width > 0 && width < end) {
    for (let at = width; at < end; at += width + 2) {
      if (input[at] !== CR || input[at + 1] !== LF) return undefined;
      breaks += 2;
    }
  }
  let padding = 0;
  while (padding < 2 && input[end - 1 - padding] === EQUALS) padding += 1;
  const characters = end - breaks;
  if (characters % 4 !== 0 || input.includes(DASH) || input.includes(UNDERSCORE)) return undefined;
  const firstPadding = input.indexOf(EQUALS);
  if (firstPadding >= 0 && firstPadding < end - padding) return undefined;
  // Any four lines are whole groups of four characters.
  const whole = breaks === 0 ? 4 : 4 * (width + 2);
  const step = Math.max(1, Math.floor(PIECE / whole)) * whole;
  const decoded = Buffer.allocUnsafe((characters / 4) * 3 - padding);
  let length = 0;
  for (let at = 0; at < end; at += step)
    length += decoded.write(input.toString('latin1', at, Math.min(at + step, end)), length, 'base64');
  // Whatever is not of the alphabet was left out, which makes the result shorter.
  return length === decoded.length ? decoded : undefined;
}

/** Decodes anything, character by character. */
export function decodeAny(input: Buffer, oddities?: Base64Oddities): Buffer {
  const out = Buffer.allocUnsafe(Math.ceil(input.length / 4) * 3 + 3);
  const end = input.length;
  const quads = end - 3;
  let length = 0;
  let bits = 0;
  let count = 0;
  let at = 0;
  let illegal = false;
  let padded = -1;
  let more = false;
  /** Padding that is still to come. */
  let owed = 0;
  while (at < end) {
    if (count === 0) {
      const before = length;
      while (at < quads) {
        const group =
          (value(input[at]) << 18) | (value(input[at + 1]) << 12) | (value(input[at + 2]) << 6) | value(input[at + 3]);
        if (group < 0) break;
        out[length] = group >> 16;
        out[length + 1] = group >> 8;
        out[length + 2] = group;
        length += 3;
        at += 4;
      }
      if (length > before && padded >= 0) more = true;
      if (at >= end) break;
    }
    const byte = input[at] ?? 0;
    at += 1;
    const six = value(byte);
    if (six >= 0) {
      if (padded >= 0) more = true;
      bits = (bits << 6) | six;
      count += 1;
      if (count === 4) {
        out[length++] = bits >> 16;
        out[length++] = bits >> 8;
        out[length++] = bits;
        bits = 0;
        count = 0;
      }
    } else if (byte === EQUALS) {
      if (count > 0) {
        illegal ||= count === 1;
        owed = 3 - count;
        length = flush(out, length, bits, count);
        bits = 0;
        count = 0;
        if (padded < 0) padded = length;
      } else {
        owed -= 1;
        illegal ||= owed < 0;
      }
    } else if (byte > 0x20 || (byte !== 0x0d && byte !== 0x0a && byte !== 0x20 && byte !== 0x09)) {
      illegal = true;
    }
  }
  if (oddities !== undefined) {
    oddities.illegal = illegal || count > 0 || owed > 0;
    oddities.stopsAt = more ? padded : -1;
  }
  return out.subarray(0, flush(out, length, bits, count));
}

function value(byte: number | undefined): number {
  return VALUES[byte ?? 0] ?? -1;
}

/** Writes what is left of a group of fewer than four characters. */
function flush(out: Buffer, length: number, bits: number, count: number): number {
  if (count === 2) {
    out[length] = bits >> 4;
    return length + 1;
  }
  if (count === 3) {
    out[length] = bits >> 10;
    out[length + 1] = bits >> 2;
    return length + 2;
  }
  return length;
}
