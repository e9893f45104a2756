import type { Unpacked } from '../entry.js';
import { Window } from './window.js';

const HEADER = 3;
const CLEAR = 256;

/** Unpacks a .Z file of compress(1): LZW with codes of 9 to 16 bits, which change their width in groups of eight. */
export function unpackLzw(packed: Buffer, max: number): Unpacked {
  const flags = packed[2] ?? 0;
  const maxBits = flags & 0x1f;
  const blocks = (flags & 0x80) !== 0;
  if (maxBits < 9 || maxBits > 16) return { kind: 'damaged', detail: 'it is damaged (compress)' };
  const window = new Window(max, packed.length * 4);
  /** Where the string of each code starts in the output, and how long it is. */
  const starts = new Uint32Array(1 << maxBits);
  const lengths = new Uint32Array(1 << maxBits);
  let next = blocks ? CLEAR + 1 : CLEAR;
  let bits = 9;
  let group = HEADER * 8;
  let at = group;
  let before = -1;
  const end = packed.length * 8;
  const regroup = (): void => {
    const span = bits * 8;
    at = group + Math.ceil((at - group) / span) * span;
    group = at;
  };
  while (at + bits <= end) {
    const code = readBits(packed, at, bits);
    at += bits;
    if (blocks && code === CLEAR) {
      regroup();
      bits = 9;
      next = CLEAR + 1;
      before = -1;
      continue;
    }
    const start = window.length;
    if (code < CLEAR) {
      if (!window.reserve(1)) return { kind: 'over' };
      window.bytes[window.length++] = code;
    } else {
      const from = code < next ? (starts[code] ?? 0) : before;
      const length = code < next ? (lengths[code] ?? 0) : start - before + 1;
      if (before < 0 || code > next || length === 0) {
        return { kind: 'damaged', bytes: window.result(), detail: 'it is damaged (compress)' };
      }
      if (!window.reserve(length)) return { kind: 'over' };
      for (let index = 0; index < length; index += 1) window.bytes[start + index] = window.bytes[from + index] ?? 0;
      window.length += length;
    }
    if (before >= 0 && next < 1 << maxBits) {
      // The string before, and the first byte of this one behind it: as it stands in the output.
      starts[next] = before;
      lengths[next] = start - before + 1;
      next += 1;
      if (next > (1 << bits) - 1 && bits < maxBits) {
        regroup();
        bits += 1;
      }
    }
    before = start;
  }
  return { kind: 'ok', bytes: window.result() };
}

function readBits(bytes: Buffer, at: number, count: number): number {
  const byte = at >> 3;
  const value = (bytes[byte] ?? 0) | ((bytes[byte + 1] ?? 0) << 8) | ((bytes[byte + 2] ?? 0) << 16);
  return (value >>> (at & 7)) & ((1 << count) - 1);
}
