import { readCentralHeader, type ZipRecord } from './zip-record.js';

const END = Buffer.from('PK\x05\x06', 'latin1');
const END64 = 0x06064b50;
const CENTRAL = 0x02014b50;

export interface CentralDirectory {
  /** An end record and a first entry (or an empty directory) are there. */
  readonly found: boolean;
  readonly records: readonly ZipRecord[];
  readonly damage: readonly string[];
  readonly cut: boolean;
}

/** Reads the central directory of a zip (APPNOTE 4.3.12 to 4.3.16), also of one with bytes before its start. */
export function readCentralDirectory(archive: Buffer, maxEntries: number): CentralDirectory {
  const end = archive.lastIndexOf(END);
  if (end < 0 || end + 22 > archive.length) return { found: false, records: [], damage: [], cut: false };
  const { start, base, count } = locate(archive, end);
  const records: ZipRecord[] = [];
  let at = start;
  while (records.length < maxEntries) {
    const entry = readCentralHeader(archive, at, base);
    if (entry === undefined) break;
    records.push(entry.record);
    at = entry.next;
  }
  const more = at + 4 <= archive.length && archive.readUInt32LE(at) === CENTRAL;
  const cut = records.length >= maxEntries && more;
  const damage = !cut && records.length !== count ? ['the central directory is damaged'] : [];
  const disk = archive.readUInt16LE(end + 4);
  if (disk !== 0 && disk !== 0xffff) damage.push('unscannable: it is a part of a split archive');
  return { found: records.length > 0 || count === 0, records, damage, cut };
}

interface Location {
  readonly start: number;
  /** What must be added to all offsets: the length of what was put before the archive. */
  readonly base: number;
  readonly count: number;
}

function locate(archive: Buffer, end: number): Location {
  const count = archive.readUInt16LE(end + 10);
  const size = archive.readUInt32LE(end + 12);
  const offset = archive.readUInt32LE(end + 16);
  const wide = count === 0xffff || size === 0xffffffff || offset === 0xffffffff;
  const large = wide ? locate64(archive, end) : undefined;
  if (large !== undefined) return large;
  return place(archive, end, size, offset, count);
}

function locate64(archive: Buffer, end: number): Location | undefined {
  const locator = end - 20;
  if (locator < 0 || archive.readUInt32LE(locator) !== 0x07064b50) return undefined;
  const claimed = Number(archive.readBigUInt64LE(locator + 8));
  // With bytes put before the archive the record lies right before its locator instead.
  const at = [claimed, locator - 56].find((one) => isEnd64(archive, one));
  if (at === undefined) return undefined;
  const count = Number(archive.readBigUInt64LE(at + 32));
  const size = Number(archive.readBigUInt64LE(at + 40));
  const offset = Number(archive.readBigUInt64LE(at + 48));
  return place(archive, at, size, offset, count);
}

function isEnd64(archive: Buffer, at: number): boolean {
  return Number.isSafeInteger(at) && at >= 0 && at + 56 <= archive.length && archive.readUInt32LE(at) === END64;
}

/** The directory ends where its end record starts; where it claims to start tells what was put before the archive. */
function place(archive: Buffer, end: number, size: number, offset: number, count: number): Location {
  const start = end - size;
  if (start >= 0 && start + 4 <= archive.length && archive.readUInt32LE(start) === CENTRAL) {
    return { start, base: start - offset, count };
  }
  return { start: Math.min(offset, archive.length), base: 0, count };
}
