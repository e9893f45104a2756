import { crc32 } from 'node:zlib';
import type { Budget, Refusal } from '../budget.js';
import type { ArchiveEntry, Listing, Unpacked } from '../entry.js';
import { listByLibrary } from '../library/list.js';
import { readRar4 } from './rar4.js';
import { readRar5 } from './rar5.js';
import type { RarHeaders, RarRecord } from './record.js';

const MARK_4 = Buffer.from('Rar!\x1a\x07\0', 'latin1');
const MARK_5 = Buffer.from('Rar!\x1a\x07\x01\0', 'latin1');

/**
 * Lists a RAR by its own headers: all names and what is encrypted are known, whatever the unpacker makes of the
 * archive. Stored files are taken as they stand, the others are unpacked by libarchive.
 */
export function listRar(archive: Buffer, budget: Budget): Listing {
  const headers = read(archive, budget.entriesLeft + 1);
  if (headers === undefined) return listByLibrary(archive, budget);
  if (headers.encrypted) return { entries: [], damage: [], cut: false, encrypted: true };
  const files = headers.records.filter(({ folder }) => !folder);
  const kept = files.slice(0, budget.entriesLeft);
  const packed = kept.some((record) => !record.encrypted && !isPlain(record));
  const unpacked = packed ? listByLibrary(archive, budget) : undefined;
  const stopped = unpacked?.stopped;
  const entries = kept.map((record, index) => toEntry(record, unpacked?.entries[index], stopped));
  const damage = headers.end === 'damaged' ? ['a RAR header is damaged'] : [];
  const cut = headers.end === 'cut' || files.length > kept.length;
  return { entries, damage, cut, ...(stopped === undefined ? {} : { stopped }) };
}

function read(archive: Buffer, maxRecords: number): RarHeaders | undefined {
  if (archive.subarray(0, MARK_5.length).equals(MARK_5)) return readRar5(archive, MARK_5.length, maxRecords);
  if (archive.subarray(0, MARK_4.length).equals(MARK_4)) return readRar4(archive, MARK_4.length, maxRecords);
  return undefined;
}

function isPlain({ stored, split }: RarRecord): boolean {
  return stored && !split;
}

function toEntry(record: RarRecord, unpacked: ArchiveEntry | undefined, stopped: Refusal | undefined): ArchiveEntry {
  const { name, claimed, encrypted } = record;
  const unpack = (archive: Buffer, max: number): Unpacked => {
    if (isPlain(record)) return stored(record, archive, max);
    if (record.split) return { kind: 'damaged', detail: 'unscannable: it goes on in another volume' };
    if (unpacked === undefined && stopped !== undefined) return { kind: 'over' };
    // The unpacker tells 32 bits of the size: another one means that it counts the entries differently.
    if (unpacked === undefined || unpacked.encrypted || unpacked.claimed !== claimed % 2 ** 32) {
      return { kind: 'damaged', detail: 'unscannable: it could not be unpacked' };
    }
    return unpacked.unpack(archive, max);
  };
  return { name, packed: record.packed, claimed, encrypted, unpack };
}

function stored({ data, packed, crc }: RarRecord, archive: Buffer, max: number): Unpacked {
  if (packed > max) return { kind: 'over' };
  const bytes = archive.subarray(data, data + packed);
  if (bytes.length < packed) return { kind: 'damaged', bytes, detail: 'it is cut short' };
  if (crc !== undefined && crc32(bytes) !== crc) return { kind: 'damaged', bytes, detail: 'its checksum is wrong' };
  return { kind: 'ok', bytes };
}
