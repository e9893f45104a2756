import { decodeUnlabelled } from '../decode/charset.js';
import type { ArchiveEntry, Listing } from './entry.js';
import { storedEntry } from './stored.js';

const TRAILER = 'TRAILER!!!';
const NEW_HEADER = 110;
const OLD_HEADER = 76;
const BINARY_HEADER = 26;
const KIND_MASK = 0o170000;
const KIND_FOLDER = 0o040000;

interface Record {
  readonly mode: number;
  readonly nameLength: number;
  readonly size: number;
  readonly header: number;
  /** Names and data are filled up to a multiple of this. */
  readonly align: number;
}

/** Lists a cpio in its new form (`070701`, `070702`) the portable one (`070707`), or the oldest, binary one, as cpio(5) describes them. */
export function listCpio(archive: Buffer, maxEntries: number): Listing {
  const entries: ArchiveEntry[] = [];
  let at = 0;
  for (;;) {
    const record = readRecord(archive, at);
    if (record === undefined) return { entries, damage: ['a cpio header is damaged'], cut: false };
    const nameStart = at + record.header;
    const name = decodeUnlabelled(archive.subarray(nameStart, nameStart + Math.max(0, record.nameLength - 1)));
    if (name === TRAILER) return { entries, damage: [], cut: false };
    const data = aligned(nameStart + record.nameLength, record.align);
    if ((record.mode & KIND_MASK) !== KIND_FOLDER) {
      if (entries.length >= maxEntries) return { entries, damage: [], cut: true };
      entries.push(storedEntry(name, data, record.size));
    }
    at = aligned(data + record.size, record.align);
  }
}

function readRecord(archive: Buffer, at: number): Record | undefined {
  if (archive[at] === 0xc7 && archive[at + 1] === 0x71)
    return readBinary(archive, at, (from) => archive.readUInt16LE(from));
  if (archive[at] === 0x71 && archive[at + 1] === 0xc7)
    return readBinary(archive, at, (from) => archive.readUInt16BE(from));
  const magic = archive.toString('latin1', at, at + 6);
  const field = (start: number, length: number, base: number): number => {
    const text = archive.toString('latin1', at + start, at + start + length);
    return (base === 16 ? /^[0-9a-f]+$/i : /^[0-7]+$/).test(text) ? Number.parseInt(text, base) : NaN;
  };
  const record =
    magic === '070701' || magic === '070702'
      ? { mode: field(14, 8, 16), size: field(54, 8, 16), nameLength: field(94, 8, 16), header: NEW_HEADER, align: 4 }
      : magic === '070707'
        ? { mode: field(18, 6, 8), nameLength: field(59, 6, 8), size: field(65, 11, 8), header: OLD_HEADER, align: 1 }
        : undefined;
  return record === undefined || Number.isNaN(record.mode + record.size + record.nameLength) ? undefined : record;
}

/** The oldest form: numbers of 16 bits, the larger ones in two halves with the upper one first. */
function readBinary(archive: Buffer, at: number, word: (at: number) => number): Record | undefined {
  if (at + BINARY_HEADER > archive.length) return undefined;
  return {
    mode: word(at + 6),
    nameLength: word(at + 20),
    size: word(at + 22) * 65536 + word(at + 24),
    header: BINARY_HEADER,
    align: 2,
  };
}

function aligned(at: number, unit: number): number {
  return Math.ceil(at / unit) * unit;
}
