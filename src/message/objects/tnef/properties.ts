import type { ByteRange } from '../../types.js';
import { decodeUnlabelled } from '../../decode/charset.js';

/** A value of a MAPI property, as a range of the bytes it was read from. */
export interface Property {
  readonly id: number;
  readonly type: number;
  readonly value: ByteRange;
}

const MAX_PROPERTIES = 5000;
const MULTIPLE = 0x1000;
const FIRST_NAMED = 0x8000;
const TEXT = 0x1e;
const WIDE_TEXT = 0x1f;
/** Types whose values tell their length, and the sizes of the others. */
const VARIABLE: ReadonlySet<number> = new Set([TEXT, WIDE_TEXT, 0x0d, 0x102]);
const SIZES: ReadonlyMap<number, number> = new Map([
  [0x01, 4],
  [0x02, 4],
  [0x03, 4],
  [0x04, 4],
  [0x05, 8],
  [0x06, 8],
  [0x07, 8],
  [0x0a, 4],
  [0x0b, 4],
  [0x14, 8],
  [0x40, 8],
  [0x48, 16],
]);

/** Reads a list of MAPI properties (MS-OXTNEF 2.1.3.4); what follows damage is left out. */
export function readProperties(bytes: Buffer, range: ByteRange): readonly Property[] {
  const found: Property[] = [];
  const end = Math.min(range.end, bytes.length);
  let at = range.start;
  const number = (): number | undefined => {
    if (at + 4 > end) return undefined;
    at += 4;
    return bytes.readUInt32LE(at - 4);
  };
  const count = Math.min(number() ?? 0, MAX_PROPERTIES);
  for (let index = 0; index < count; index += 1) {
    if (at + 4 > end) break;
    const type = bytes.readUInt16LE(at);
    const id = bytes.readUInt16LE(at + 2);
    at += 4;
    if (id >= FIRST_NAMED) {
      at += 16;
      const kind = number();
      const length = number();
      if (kind === undefined || length === undefined) break;
      if (kind === 1) at += padded(length);
    }
    const base = type & ~MULTIPLE;
    const isVariable = VARIABLE.has(base);
    const fixed = SIZES.get(base);
    if (!isVariable && fixed === undefined) break;
    const values = isVariable || type !== base ? number() : 1;
    if (values === undefined || values > end - at) break;
    for (let left = values; left > 0; left -= 1) {
      const length = isVariable ? number() : fixed;
      if (length === undefined || length > end - at) return found;
      found.push({ id, type: base, value: { start: at, end: at + length } });
      at += padded(length);
      if (found.length > MAX_PROPERTIES) return found;
    }
  }
  return found;
}

/** The text of a property, without the NUL at its end; empty when it is no text. */
export function textOf(bytes: Buffer, property: Property | undefined): string {
  if (property === undefined) return '';
  const value = bytes.subarray(property.value.start, Math.min(property.value.end, property.value.start + 2048));
  if (property.type === WIDE_TEXT) return value.toString('utf16le').replace(/\0+$/, '');
  return property.type === TEXT ? decodeUnlabelled(value).replace(/\0+$/, '') : '';
}

function padded(length: number): number {
  return length + ((4 - (length % 4)) % 4);
}
