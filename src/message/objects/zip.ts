import { crc32 } from 'node:zlib';
import type { ArchiveEntry, Listing, Unpacked } from './entry.js';
import { inflate } from './inflate.js';
import { unpackBzip2 } from './unpack/bzip2.js';
import { unpackStream } from './unpack/lzma.js';
import { unpackXz } from './unpack/xz.js';
import { readCentralDirectory } from './zip-central.js';
import { readLocalHeader, type ZipRecord } from './zip-record.js';

const LOCAL = Buffer.from('PK\x03\x04', 'latin1');
/** Local headers looked at beyond the allowed entries, so that a file full of signatures costs no more. */
const SPARE_LOCALS = 1000;

/**
 * Lists a zip by both of its descriptions, central directory and local headers (APPNOTE 4.3): unpackers differ on
 * which one they follow, so an entry that only one of them names is listed, and one that they name differently is
 * listed under both names.
 */
export function listZip(archive: Buffer, maxEntries: number): Listing {
  const central = readCentralDirectory(archive, maxEntries);
  const damage = [...central.damage];
  const records = [...central.records];
  let cut = central.cut;
  const byOffset = new Map<number, ZipRecord>();
  for (const record of central.records) byOffset.set(record.offset, record);
  if (overlaps(central.records)) damage.push('entries overlap');
  let looked = 0;
  let at = archive.indexOf(LOCAL);
  while (at >= 0) {
    looked += 1;
    if (records.length >= maxEntries || looked > maxEntries + SPARE_LOCALS) {
      cut ||= looked > maxEntries + SPARE_LOCALS || !byOffset.has(at);
      if (cut) break;
    }
    const local = readLocalHeader(archive, at);
    const known = byOffset.get(at);
    let end = at + 4;
    if (local !== undefined) {
      if (known === undefined) {
        const measured = measure(archive, local);
        records.push(measured);
        if (central.found) damage.push('the central directory does not name all entries');
        end = measured.data + measured.packed;
      } else {
        if (contradicts(local, known)) {
          records.push({ ...local, packed: local.packed > 0 ? local.packed : known.packed });
          damage.push('local headers contradict the central directory');
        }
        // The smaller size of the two: what the larger one covers may hold entries for a reader of local headers.
        end = known.data + Math.min(known.packed, local.packed > 0 ? local.packed : known.packed);
      }
    }
    at = archive.indexOf(LOCAL, Math.max(at + 4, Math.min(end, archive.length)));
  }
  if (!central.found) damage.push('it has no central directory');
  return { entries: records.filter((one) => !isFolder(one)).map(toEntry), damage: [...new Set(damage)], cut };
}

/** Whether any two entries share bytes: so a small file becomes many large ones. */
function overlaps(records: readonly ZipRecord[]): boolean {
  const order = [...records].sort((a, b) => a.offset - b.offset);
  let end = 0;
  for (const record of order) {
    if (record.offset < end) return true;
    end = Math.max(record.offset + 1, record.data + record.packed);
  }
  return false;
}

function contradicts(local: ZipRecord, central: ZipRecord): boolean {
  if (local.name !== central.name || local.method !== central.method) return true;
  return local.packed > 0 && local.packed !== central.packed;
}

/** The packed size of an entry that only has a data descriptor behind its data (APPNOTE 4.3.9). */
function measure(archive: Buffer, local: ZipRecord): ZipRecord {
  if (!local.streamed || local.packed > 0) return local;
  const next = archive.indexOf('PK', local.data);
  // Without a directory the data ends at the next record; a deflate stream ends itself before that.
  let end = next;
  while (end >= 0 && !isSignature(archive, end)) end = archive.indexOf('PK', end + 2);
  return { ...local, packed: (end < 0 ? archive.length : end) - local.data };
}

function isSignature(archive: Buffer, at: number): boolean {
  const kind = archive.toString('latin1', at + 2, at + 4);
  return kind === '\x03\x04' || kind === '\x01\x02' || kind === '\x07\x08' || kind === '\x05\x06';
}

function isFolder(record: ZipRecord): boolean {
  return record.name.endsWith('/') && record.packed <= 2 && record.claimed === 0;
}

function toEntry(record: ZipRecord): ArchiveEntry {
  return {
    name: record.name,
    ...(record.otherNames === undefined ? {} : { otherNames: record.otherNames }),
    packed: record.packed,
    claimed: record.claimed,
    encrypted: record.encrypted,
    unpack: (archive, max) => unpack(record, archive, max),
  };
}

/** Packing methods besides deflate (APPNOTE 4.4.5). */
const OTHER_METHODS: ReadonlyMap<number, (packed: Buffer, max: number, record: ZipRecord) => Unpacked> = new Map([
  [12, unpackBzip2],
  [14, unpackZipLzma],
  [95, unpackXz],
]);

/** LZMA with a header of its own: version, and the length of the properties (APPNOTE 5.8.8). */
function unpackZipLzma(packed: Buffer, max: number, { claimed, endMark }: ZipRecord): Unpacked {
  const length = packed.length < 9 ? 0 : packed.readUInt16LE(2);
  if (length !== 5) return { kind: 'damaged', detail: 'it is damaged (lzma)' };
  return unpackStream(packed.subarray(4 + length), packed[4] ?? 0, endMark ? Infinity : claimed, max);
}

function unpack(record: ZipRecord, archive: Buffer, max: number): Unpacked {
  const packed = archive.subarray(record.data, record.data + record.packed);
  const cut = packed.length < record.packed;
  if (record.method === 0) {
    if (packed.length > max) return { kind: 'over' };
    return cut ? { kind: 'damaged', bytes: packed, detail: 'it is cut short' } : checked(record, packed);
  }
  const other = OTHER_METHODS.get(record.method);
  if (other !== undefined) {
    const result = other(packed, max, record);
    return result.kind === 'ok' ? checked(record, result.bytes) : result;
  }
  if (record.method !== 8) {
    return { kind: 'damaged', detail: `unscannable: zip compression method ${record.method}` };
  }
  // An empty stored file that claims deflate; nothing to unpack.
  if (record.packed === 0 && record.claimed === 0) return { kind: 'ok', bytes: packed };
  const result = inflate(packed, max, record.claimed);
  return result.kind === 'ok' ? checked(record, result.bytes) : result;
}

function checked(record: ZipRecord, bytes: Buffer): Unpacked {
  if (record.crc !== undefined && crc32(bytes) !== record.crc) {
    return { kind: 'damaged', bytes, detail: 'its checksum is wrong' };
  }
  return { kind: 'ok', bytes };
}
