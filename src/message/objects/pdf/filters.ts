import type { Unpacked } from '../entry.js';
import { unzlib } from '../inflate.js';

const MAX_FILTERS = 8;

/** The names of a stream's filters, in the order in which they are undone. */
export function filtersOf(dictionary: string): readonly string[] {
  const value = /\/(?:Filter|F)\s{0,10}(\[[^\]]{0,500}\]|\/[^\s/<>[\]()]{1,40})/.exec(dictionary)?.[1] ?? '';
  return [...value.matchAll(/\/([^\s/<>[\]()]{1,40})/g)].slice(0, MAX_FILTERS).map((match) => match[1] ?? '');
}

/** Undoes the filters of a stream (ISO 32000-1 7.4). */
export function unfilter(bytes: Buffer, filters: readonly string[], max: number): Unpacked {
  let result: Unpacked = { kind: 'ok', bytes };
  for (const filter of filters) {
    if (result.kind !== 'ok') return result;
    result = undo(filter, result.bytes, max);
  }
  return result.kind === 'ok' && result.bytes.length > max ? { kind: 'over' } : result;
}

function undo(filter: string, bytes: Buffer, max: number): Unpacked {
  switch (filter) {
    case 'FlateDecode':
    case 'Fl':
      return unzlib(bytes, max);
    case 'ASCIIHexDecode':
    case 'AHx':
      return { kind: 'ok', bytes: fromHex(bytes) };
    case 'ASCII85Decode':
    case 'A85':
      return { kind: 'ok', bytes: fromAscii85(bytes) };
    default:
      return { kind: 'damaged', detail: `unscannable: PDF filter ${filter}` };
  }
}

function fromHex(bytes: Buffer): Buffer {
  const text = bytes.toString('latin1').split('>', 1)[0] ?? '';
  const digits = text.replace(/[^0-9a-f]/gi, '');
  return Buffer.from(digits.length % 2 === 0 ? digits : `${digits}0`, 'hex');
}

function fromAscii85(bytes: Buffer): Buffer {
  const out = Buffer.allocUnsafe(bytes.length * 4 + 4);
  let length = 0;
  let value = 0;
  let count = 0;
  for (const byte of bytes) {
    if (byte === 0x7e) break;
    if (byte === 0x7a && count === 0) {
      length = out.writeUInt32BE(0, length);
      continue;
    }
    if (byte < 0x21 || byte > 0x75) continue;
    value = value * 85 + (byte - 0x21);
    count += 1;
    if (count === 5) {
      length = out.writeUInt32BE(value % 0x100000000, length);
      value = 0;
      count = 0;
    }
  }
  if (count > 1) {
    for (let left = count; left < 5; left += 1) value = value * 85 + 84;
    out.writeUInt32BE(value % 0x100000000, length);
    length += count - 1;
  }
  return out.subarray(0, length);
}
