import { decodeUnlabelled } from '../../decode/charset.js';
import type { RarHeaders, RarRecord } from './record.js';

const FILE = 2;
const ENCRYPTION = 4;
const END = 5;
const FLAG_EXTRA = 0x01;
const FLAG_DATA = 0x02;
const FLAG_SPLIT = 0x18;
const FILE_FOLDER = 0x01;
const FILE_TIME = 0x02;
const FILE_CRC = 0x04;
const EXTRA_ENCRYPTION = 0x01;
/** No header is longer. */
const MAX_HEADER = 2 * 1024 * 1024;

/** Reads the headers of a RAR of version 5 behind its mark. */
export function readRar5(archive: Buffer, start: number, maxRecords: number): RarHeaders {
  const records: RarRecord[] = [];
  let at = start;
  while (at + 7 <= archive.length) {
    const cursor = new Numbers(archive, at + 4, archive.length);
    const size = cursor.next();
    const end = cursor.at + size;
    if (size === 0 || size > MAX_HEADER || end > archive.length) return { records, encrypted: false, end: 'damaged' };
    const header = new Numbers(archive, cursor.at, end);
    const type = header.next();
    const flags = header.next();
    const extra = (flags & FLAG_EXTRA) === 0 ? 0 : header.next();
    const data = (flags & FLAG_DATA) === 0 ? 0 : header.next();
    if (type === ENCRYPTION) return { records, encrypted: true, end: 'end' };
    if (type === END) return { records, encrypted: false, end: 'end' };
    if (type === FILE) {
      if (records.length >= maxRecords) return { records, encrypted: false, end: 'cut' };
      const encrypted = extra > 0 && hasRecord(archive, Math.max(header.at, end - extra), end, EXTRA_ENCRYPTION);
      records.push(
        readFile(archive, header, { packed: data, encrypted, split: (flags & FLAG_SPLIT) !== 0, data: end }),
      );
    }
    at = end + data;
  }
  return { records, encrypted: false, end: 'damaged' };
}

function readFile(
  archive: Buffer,
  header: Numbers,
  common: Pick<RarRecord, 'packed' | 'encrypted' | 'split' | 'data'>,
): RarRecord {
  const flags = header.next();
  const claimed = header.next();
  header.next();
  if ((flags & FILE_TIME) !== 0) header.at += 4;
  const crcAt = header.at;
  if ((flags & FILE_CRC) !== 0) header.at += 4;
  const compression = header.next();
  header.next();
  const length = header.next();
  return {
    ...common,
    name: decodeUnlabelled(archive.subarray(header.at, Math.min(header.end, header.at + length))),
    claimed,
    folder: (flags & FILE_FOLDER) !== 0,
    stored: ((compression >> 7) & 0x07) === 0,
    crc: (flags & FILE_CRC) !== 0 && crcAt + 4 <= header.end ? archive.readUInt32LE(crcAt) : undefined,
  };
}

/** Whether there is a record of a type among those of the extra area. */
function hasRecord(archive: Buffer, start: number, end: number, wanted: number): boolean {
  const cursor = new Numbers(archive, start, end);
  while (cursor.at < end) {
    const size = cursor.next();
    const next = cursor.at + size;
    if (size === 0 || next > end) return false;
    if (cursor.next() === wanted) return true;
    cursor.at = next;
  }
  return false;
}

/** Numbers of seven bits a byte, the lowest first; 0 behind the end. */
class Numbers {
  at: number;
  readonly end: number;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer, at: number, end: number) {
    this.#bytes = bytes;
    this.at = at;
    this.end = end;
  }

  next(): number {
    let value = 0;
    for (let index = 0; index < 7 && this.at < this.end; index += 1) {
      const byte = this.#bytes[this.at] ?? 0;
      this.at += 1;
      value += (byte & 0x7f) * 2 ** (7 * index);
      if ((byte & 0x80) === 0) return value;
    }
    return 0;
  }
}
