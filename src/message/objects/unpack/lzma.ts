import type { Unpacked } from '../entry.js';
import { LzmaDecoder } from './lzma-decoder.js';
import { Window } from './window.js';

const HEADER = 13;
const UNKNOWN = 0xffffffffffffffffn;

/** Whether bytes are an .lzma file, which has no signature: its fields are held to what programs write. */
export function isLzma(bytes: Buffer): boolean {
  if (bytes.length < HEADER + 5 || bytes[0] !== 0x5d || bytes[HEADER] !== 0) return false;
  const dictionary = bytes.readUInt32LE(1);
  const size = bytes.readBigUInt64LE(5);
  return dictionary >= 4096 && (dictionary & 0xfff) === 0 && (size === UNKNOWN || size < 1n << 38n);
}

/** Unpacks an .lzma file ("LZMA alone", LZMA specification). */
export function unpackLzma(packed: Buffer, max: number): Unpacked {
  if (packed.length < HEADER) return { kind: 'damaged', detail: 'it is cut short' };
  const size = packed.readBigUInt64LE(5);
  const known = size === UNKNOWN ? Infinity : Number(size);
  return unpackStream(packed.subarray(HEADER), packed[0] ?? 0, known, max);
}

/**
 * Unpacks one LZMA stream without a header.
 * @param properties the byte of lc, lp and pb
 * @param size unpacked size, or `Infinity` when it ends with a mark
 */
export function unpackStream(packed: Buffer, properties: number, size: number, max: number): Unpacked {
  if (size !== Infinity && size > max) return { kind: 'over' };
  const window = new Window(max, size === Infinity ? packed.length * 4 : size);
  const decoder = new LzmaDecoder(window);
  if (!decoder.setProperties(properties) || !decoder.range.start(packed, 0, packed.length)) {
    return { kind: 'damaged', detail: 'it is damaged (lzma)' };
  }
  const end = decoder.decode(size);
  if (end === 'over') return { kind: 'over' };
  if (end === 'bad' || (end === 'end' && size !== Infinity && window.length < size)) {
    return { kind: 'damaged', bytes: window.result(), detail: 'it is damaged (lzma)' };
  }
  return { kind: 'ok', bytes: window.result() };
}
