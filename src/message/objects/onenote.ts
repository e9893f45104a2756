import { Mark } from '../mark.js';
import type { ArchiveEntry, Listing } from './entry.js';

/** FileDataStoreObject (MS-ONESTORE 2.6.13): its identifier, an 8-byte length, 12 bytes, and the file. */
const FILE = new Mark(Buffer.from('e716e3bd65261145a4c48d4d0b7a9eac', 'hex'));
const HEAD = 36;

/** The files in a section of OneNote. Their names are kept elsewhere, so that they are told by their bytes alone. */
export function listOneNote(section: Buffer, maxEntries: number): Listing {
  const entries: ArchiveEntry[] = [];
  let at = FILE.indexIn(section);
  while (at >= 0 && at + HEAD <= section.length) {
    if (entries.length >= maxEntries) return { entries, damage: [], cut: true };
    const size = Number(section.readBigUInt64LE(at + 16));
    const start = at + HEAD;
    const end = Math.min(section.length, start + size);
    entries.push(rangeEntry(`file-${entries.length + 1}`, start, end, size));
    at = FILE.indexIn(section, end);
  }
  return { entries, damage: [], cut: false };
}

/** An entry that stands in its container as it is. */
export function rangeEntry(name: string, start: number, end: number, claimed: number): ArchiveEntry {
  return {
    name,
    packed: end - start,
    claimed,
    encrypted: false,
    unpack: (archive, max) => {
      if (end - start > max) return { kind: 'over' };
      const bytes = archive.subarray(start, end);
      return end - start < claimed ? { kind: 'damaged', bytes, detail: 'it is cut short' } : { kind: 'ok', bytes };
    },
  };
}
