import type { Unpacked } from '../entry.js';
import { Window } from '../unpack/window.js';

const COMPRESSED = 0x75465a4c;
const STORED = 0x414c454d;
const DICTIONARY = 4096;
/** What the dictionary starts with (MS-OXRTFCP 2.1.2.1). */
const INITIAL =
  '{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx';

/** Unpacks compressed RTF, in which Outlook keeps the text of a message (MS-OXRTFCP). */
export function unpackRtf(packed: Buffer, max: number): Unpacked {
  const damaged: Unpacked = { kind: 'damaged', detail: 'it is damaged (compressed RTF)' };
  if (packed.length < 16) return damaged;
  const kind = packed.readUInt32LE(8);
  if (kind === STORED) return packed.length - 16 > max ? { kind: 'over' } : { kind: 'ok', bytes: packed.subarray(16) };
  if (kind !== COMPRESSED) return damaged;
  const window = new Window(max, packed.length * 4);
  const dictionary = Buffer.alloc(DICTIONARY);
  let write = dictionary.write(INITIAL, 'latin1');
  let at = 16;
  while (at < packed.length) {
    const flags = packed[at] ?? 0;
    at += 1;
    for (let bit = 0; bit < 8 && at < packed.length; bit += 1) {
      let count = 1;
      let from = -1;
      if ((flags & (1 << bit)) !== 0) {
        if (at + 2 > packed.length) return { kind: 'ok', bytes: window.result() };
        const reference = packed.readUInt16BE(at);
        at += 2;
        from = reference >> 4;
        count = (reference & 0x0f) + 2;
        // A reference to where it stands is the end.
        if (from === write) return { kind: 'ok', bytes: window.result() };
      }
      if (!window.reserve(count)) return { kind: 'over' };
      for (let index = 0; index < count; index += 1) {
        const byte = from < 0 ? (packed[at++] ?? 0) : (dictionary[(from + index) % DICTIONARY] ?? 0);
        window.bytes[window.length++] = byte;
        dictionary[write] = byte;
        write = (write + 1) % DICTIONARY;
      }
    }
  }
  return { kind: 'ok', bytes: window.result() };
}
