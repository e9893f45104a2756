import type { ArchiveEntry, Listing } from './entry.js';
import { Mark } from '../mark.js';
import { readNative } from './ole/native.js';

const KEYWORD = new Mark('\\objdata');
const MAX_OBJECTS = 1000;
/** No header of an object is longer. */
const HEAD = 8192;
/** What may be skipped between the digits of an object, besides four times as much as they are. */
const MAX_SKIPPED = 64 * 1024;
const LOST = 'it is damaged (RTF object)';
const OPEN = 0x7b;
const CLOSE = 0x7d;
const BACKSLASH = 0x5c;
const EMBEDDED = 2;

/** The objects that are embedded in an RTF document, in hexadecimal digits behind `\objdata` (RTF 1.9.1, Objects). */
export function listRtf(bytes: Buffer, maxEntries: number): Listing {
  const entries: ArchiveEntry[] = [];
  let isLost = false;
  let at = KEYWORD.indexIn(bytes);
  for (let count = 1; at >= 0 && count <= MAX_OBJECTS; count += 1) {
    const start = at + KEYWORD.length;
    const head = readObject(bytes, start, HEAD, count);
    if (head === 'lost') isLost = true;
    else if (head !== undefined) {
      const { name, size } = head;
      entries.push({
        name,
        packed: size * 2,
        claimed: size,
        encrypted: false,
        unpack: (archive, max) => {
          const whole = readObject(archive, start, max + HEAD, count);
          if (whole === undefined || whole === 'lost') return { kind: 'damaged', detail: LOST };
          return whole.data.length > max ? { kind: 'over' } : { kind: 'ok', bytes: whole.data };
        },
      });
    }
    at = KEYWORD.indexIn(bytes, start);
  }
  const cut = entries.length > maxEntries || at >= 0;
  return { entries: entries.slice(0, maxEntries), damage: isLost ? [LOST] : [], cut };
}

interface RtfObject {
  readonly name: string;
  /** As the object claims. */
  readonly size: number;
  readonly data: Buffer;
}

/** An object of OLE 1.0 (MS-OLEDS 2.2.5): a header with three names, and the data; another thing is taken whole. */
function readObject(bytes: Buffer, start: number, most: number, count: number): RtfObject | 'lost' | undefined {
  const object = hexDigits(bytes, start, most);
  if (object === undefined) return 'lost';
  if (object.length < 8) return undefined;
  const name = `object-${count}`;
  const whole = { name, size: object.length, data: object };
  if (object.readUInt32LE(4) !== EMBEDDED) return whole;
  let at = 8;
  const names: string[] = [];
  for (let index = 0; index < 3; index += 1) {
    if (at + 4 > object.length) return whole;
    const length = object.readUInt32LE(at);
    if (length > 1024) return whole;
    names.push(object.toString('latin1', at + 4, at + 4 + length).replace(/\0+$/, ''));
    at += 4 + length;
  }
  if (at + 4 > object.length) return whole;
  const size = object.readUInt32LE(at);
  const data = object.subarray(at + 4, at + 4 + size);
  if (names[0]?.toLowerCase() !== 'package') return { name, size, data };
  // The stream of a package, but for the size that stands before it.
  const native = readNative(Buffer.concat([object.subarray(at, at + 4), data]));
  return { name: native.name === '' ? name : native.name, size, data: native.bytes };
}

/**
 * The digits up to the end of the group, as readers take them: white space, control words and groups between are
 * skipped. Behind `\bin` the bytes stand as they are. Undefined when too much is skipped: so it is linear for all objects
 * of a document, also for those that are nested.
 */
function hexDigits(bytes: Buffer, start: number, most: number): Buffer | undefined {
  const room = Math.min(most, bytes.length - start);
  const out = Buffer.allocUnsafe(Math.max(0, room));
  let length = 0;
  let high = -1;
  let depth = 0;
  for (let at = start; at < bytes.length && length < out.length; at += 1) {
    if (at - start > MAX_SKIPPED + 6 * length) return undefined;
    const byte = bytes[at] ?? 0;
    if (byte === OPEN) depth += 1;
    else if (byte === CLOSE) {
      if (depth === 0) break;
      depth -= 1;
    } else if (byte === BACKSLASH) {
      const binary = /^\\bin(\d{1,9})(?![a-z\d]) ?/i.exec(bytes.toString('latin1', at, at + 16));
      if (binary !== null && depth === 0) {
        const from = at + binary[0].length;
        length += bytes.copy(out, length, from, Math.min(from + Number(binary[1]), bytes.length));
        at = from + Number(binary[1]) - 1;
        continue;
      }
      while (isWordPart(bytes[at + 1])) at += 1;
    } else if (depth === 0) {
      const digit = hexValue(byte);
      if (digit < 0) continue;
      if (high < 0) high = digit;
      else {
        out[length++] = high * 16 + digit;
        high = -1;
      }
    }
  }
  return out.subarray(0, length);
}

function isWordPart(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  return (
    (byte >= 0x61 && byte <= 0x7a) || (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x30 && byte <= 0x39) || byte === 0x2d
  );
}

function hexValue(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
