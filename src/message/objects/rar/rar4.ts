import { decodeUnlabelled } from '../../decode/charset.js';
import type { RarHeaders, RarRecord } from './record.js';

const MAIN = 0x73;
const FILE = 0x74;
const SERVICE = 0x7a;
const END = 0x7b;
const MAIN_ENCRYPTED = 0x80;
const FLAG_SPLIT = 0x03;
const FLAG_ENCRYPTED = 0x04;
const FLAG_FOLDER = 0xe0;
const FLAG_LARGE = 0x0100;
const FLAG_UNICODE = 0x0200;
const FLAG_DATA = 0x8000;
const METHOD_STORED = 0x30;

/** Reads the headers of a RAR of version 1.5 to 4 behind its mark. */
export function readRar4(archive: Buffer, start: number, maxRecords: number): RarHeaders {
  const records: RarRecord[] = [];
  let at = start;
  while (at + 7 <= archive.length) {
    const type = archive[at + 2] ?? 0;
    const flags = archive.readUInt16LE(at + 3);
    const size = archive.readUInt16LE(at + 5);
    if (type < 0x72 || type > END || size < 7) return { records, encrypted: false, end: 'damaged' };
    if (type === END) return { records, encrypted: false, end: 'end' };
    if (type === MAIN && (flags & MAIN_ENCRYPTED) !== 0) return { records, encrypted: true, end: 'end' };
    const isFile = type === FILE || type === SERVICE;
    if (at + Math.max(size, isFile ? 32 : 7) > archive.length) return { records, encrypted: false, end: 'damaged' };
    let data = 0;
    if (isFile) {
      const record = readFile(archive, at, size, flags);
      data = record.packed;
      if (type === FILE) {
        if (records.length >= maxRecords) return { records, encrypted: false, end: 'cut' };
        records.push(record);
      }
    } else if ((flags & FLAG_DATA) !== 0 && at + 11 <= archive.length) data = archive.readUInt32LE(at + 7);
    at += size + data;
  }
  // Old programs write no end; what is cut does not end at a header.
  return { records, encrypted: false, end: at === archive.length ? 'end' : 'damaged' };
}

function readFile(archive: Buffer, at: number, size: number, flags: number): RarRecord {
  const large = (flags & FLAG_LARGE) !== 0 && at + 40 <= archive.length;
  const high = (offset: number): number => (large ? archive.readUInt32LE(at + offset) * 2 ** 32 : 0);
  const nameStart = at + 32 + (large ? 8 : 0);
  const raw = archive.subarray(nameStart, Math.min(at + size, nameStart + archive.readUInt16LE(at + 26)));
  return {
    name: ((flags & FLAG_UNICODE) === 0 ? decodeUnlabelled(raw) : unicodeName(raw)).replaceAll('\\', '/'),
    packed: archive.readUInt32LE(at + 7) + high(32),
    claimed: archive.readUInt32LE(at + 11) + high(36),
    encrypted: (flags & FLAG_ENCRYPTED) !== 0,
    folder: (flags & FLAG_FOLDER) === FLAG_FOLDER,
    split: (flags & FLAG_SPLIT) !== 0,
    stored: archive[at + 25] === METHOD_STORED,
    data: at + size,
    crc: archive.readUInt32LE(at + 16),
  };
}

/** A name in 8 bits, a NUL, and how it differs from the one in UTF-16; without a NUL it is UTF-8. */
function unicodeName(raw: Buffer): string {
  const nul = raw.indexOf(0);
  if (nul < 0) return decodeUnlabelled(raw);
  const plain = raw.subarray(0, nul);
  const coded = raw.subarray(nul + 1);
  const high = (coded[0] ?? 0) << 8;
  const units: number[] = [];
  let flags = 0;
  let left = 0;
  let at = 1;
  const byte = (): number => coded[at++] ?? 0;
  while (at < coded.length && units.length < 2048) {
    if (left === 0) {
      flags = byte();
      left = 8;
    }
    left -= 2;
    const how = (flags >> left) & 3;
    if (how === 0) units.push(byte());
    else if (how === 1) units.push(byte() | high);
    else if (how === 2) units.push(byte() | (byte() << 8));
    else {
      const length = byte();
      const shift = (length & 0x80) === 0 ? undefined : byte();
      for (let count = (length & 0x7f) + 2; count > 0 && units.length < plain.length; count -= 1) {
        const own = plain[units.length] ?? 0;
        units.push(shift === undefined ? own : ((own + shift) & 0xff) | high);
      }
    }
  }
  return String.fromCharCode(...units);
}
