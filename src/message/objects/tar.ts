import { decodeUnlabelled } from '../decode/charset.js';
import type { ArchiveEntry, Listing } from './entry.js';
import { storedEntry } from './stored.js';
import { readCString } from './text-bytes.js';

const BLOCK = 512;
/** Longer names and pax headers are no names. */
const MAX_META = 64 * 1024;

/** What a pax header or a GNU long name says about the entry behind it. */
interface Override {
  name?: string;
  size?: number;
}

/** Lists a tar: ustar (POSIX 1003.1), pax headers, GNU long names. */
export function listTar(archive: Buffer, maxEntries: number): Listing {
  const entries: ArchiveEntry[] = [];
  const damage: string[] = [];
  let override: Override = {};
  let at = 0;
  while (at + BLOCK <= archive.length) {
    const header = archive.subarray(at, at + BLOCK);
    if (header[0] === 0) {
      // Zero blocks end an archive; concatenated ones go on behind them.
      at += BLOCK;
      continue;
    }
    const size = override.size ?? readNumber(header.subarray(124, 136));
    if (size === undefined || !checksumFits(header)) {
      damage.push('a tar header is damaged');
      break;
    }
    const data = at + BLOCK;
    const body = archive.subarray(data, data + size);
    const kind = String.fromCharCode(header[156] ?? 0);
    if (kind === 'x' || kind === 'L') {
      const meta = body.subarray(0, MAX_META);
      override = { ...override, ...(kind === 'x' ? readPax(meta) : { name: readCString(meta, 0, MAX_META) }) };
    } else if (kind !== 'g' && kind !== 'K') {
      // A link or folder with a size: for one unpacker its data follows, for another the next header.
      const isHeld = isFile(kind) || (size > 0 && !startsHeader(archive, data));
      if (!isFile(kind) && !isHeld && size > 0) {
        override = {};
        at = data;
        continue;
      }
      if (isHeld) {
        if (entries.length >= maxEntries) return { entries, damage, cut: true };
        entries.push(storedEntry(override.name ?? headerName(header), data, size));
      }
      override = {};
    }
    at = data + Math.ceil(size / BLOCK) * BLOCK;
  }
  return { entries, damage, cut: false };
}

/** Links, devices, folders and labels hold nothing. Of a kind that nobody knows unpackers make files (POSIX 1003.1 pax). */
function isFile(kind: string): boolean {
  return !/^[1-6DMNV]$/.test(kind);
}

function startsHeader(archive: Buffer, at: number): boolean {
  if (at + BLOCK > archive.length || archive[at] === 0) return false;
  return checksumFits(archive.subarray(at, at + BLOCK));
}

function headerName(header: Buffer): string {
  const name = readCString(header, 0, 100);
  const prefix = header.toString('latin1', 257, 262) === 'ustar' ? readCString(header, 345, 155) : '';
  // GNU writes times where POSIX has the prefix.
  const gnu = header.toString('latin1', 257, 264) === 'ustar  ';
  return prefix === '' || gnu ? name : `${prefix}/${name}`;
}

/** Octal digits, or a big-endian number whose first bit is set (GNU). */
function readNumber(field: Buffer): number | undefined {
  const first = field[0] ?? 0;
  if ((first & 0x80) !== 0) {
    let value = first & 0x3f;
    for (const byte of field.subarray(1)) value = value * 256 + byte;
    return Number.isSafeInteger(value) ? value : undefined;
  }
  const digits = field.toString('latin1').replace(/[\0 ]/g, '');
  if (digits === '') return 0;
  return /^[0-7]{1,12}$/.test(digits) ? Number.parseInt(digits, 8) : undefined;
}

/** Whether the sum that a tar header bears is that of its bytes. */
export function checksumFits(header: Buffer): boolean {
  const stored = readNumber(header.subarray(148, 156));
  let sum = 0;
  let signed = 0;
  for (let at = 0; at < BLOCK; at += 1) {
    const byte = at >= 148 && at < 156 ? 0x20 : (header[at] ?? 0);
    sum += byte;
    signed += byte > 127 ? byte - 256 : byte;
  }
  return stored === sum || stored === signed;
}

/** Records of the form "length key=value\n" (pax, POSIX 1003.1). */
function readPax(body: Buffer): Override {
  const out: Override = {};
  let at = 0;
  while (at < body.length) {
    const space = body.indexOf(0x20, at);
    if (space < 0 || space - at > 10) break;
    const length = Number.parseInt(body.toString('latin1', at, space), 10);
    if (!(length > space - at)) break;
    const record = body.subarray(space + 1, at + length - 1);
    const equals = record.indexOf(0x3d);
    const key = record.toString('latin1', 0, Math.max(0, equals));
    const value = record.subarray(equals + 1);
    if (key === 'path' || key === 'GNU.sparse.name') out.name = decodeUnlabelled(value);
    const size = key === 'size' ? Number(value.toString('latin1')) : undefined;
    if (size !== undefined && Number.isSafeInteger(size) && size >= 0) out.size = size;
    at += length;
  }
  return out;
}
