import { LzmaDecoder, type LzmaEnd } from './lzma-decoder.js';
import type { Window } from './window.js';

/** How it ended, and the position behind what was read. */
export interface Lzma2Result {
  readonly end: Exclude<LzmaEnd, 'stop'>;
  readonly next: number;
}

/** Unpacks LZMA2: chunks that are stored, or LZMA with or without resets (XZ file format 5.3.1 and its reference). */
export function unpackLzma2(input: Buffer, start: number, window: Window): Lzma2Result {
  const decoder = new LzmaDecoder(window);
  let at = start;
  let needsDictionary = true;
  let needsProperties = true;
  for (;;) {
    const control = input[at];
    if (control === undefined) return { end: 'bad', next: at };
    at += 1;
    if (control === 0) return { end: 'end', next: at };
    if (control >= 0xe0 || control === 1) {
      needsDictionary = false;
      decoder.resetDictionary();
    } else if (needsDictionary) return { end: 'bad', next: at };
    if (control < 0x80) {
      if (control > 2 || at + 2 > input.length) return { end: 'bad', next: at };
      const size = input.readUInt16BE(at) + 1;
      at += 2;
      if (!window.reserve(size)) return { end: 'over', next: at };
      const copied = input.copy(window.bytes, window.length, at, at + size);
      window.length += copied;
      at += copied;
      if (copied < size) return { end: 'bad', next: at };
      continue;
    }
    if (at + 5 > input.length) return { end: 'bad', next: at };
    const unpacked = ((control & 0x1f) << 16) + input.readUInt16BE(at) + 1;
    const packed = input.readUInt16BE(at + 2) + 1;
    at += 4;
    if (control >= 0xc0) {
      if (!decoder.setProperties(input[at] ?? 0)) return { end: 'bad', next: at };
      needsProperties = false;
      at += 1;
    } else if (needsProperties) return { end: 'bad', next: at };
    else if (control >= 0xa0) decoder.resetState();
    if (!decoder.range.start(input, at, at + packed)) return { end: 'bad', next: at };
    const end = decoder.decode(window.length + unpacked);
    if (end !== 'stop') return { end: end === 'over' ? 'over' : 'bad', next: at };
    at += packed;
  }
}
