import type { Budget, Refusal } from '../budget.js';
import type { ArchiveEntry, Listing, Unpacked } from '../entry.js';
import { listByLibrary } from '../library/list.js';
import { readSevenZipHeader, type SevenZipFile } from './header.js';

/**
 * Lists a 7z by its own header, so that all names and what is encrypted are known; libarchive unpacks it. Where the
 * header cannot be read, what libarchive makes of the archive is taken.
 */
export function listSevenZip(archive: Buffer, budget: Budget): Listing {
  const header = readSevenZipHeader(archive);
  if (header === 'encrypted') return { entries: [], damage: [], cut: false, encrypted: true };
  if (header === undefined) {
    const listing = listByLibrary(archive, budget);
    const isLost = listing.entries.length === 0 && listing.damage.length === 0 && listing.encrypted !== true;
    return isLost ? { ...listing, damage: ['unscannable: its header is damaged'] } : listing;
  }
  const files = header.filter(({ folder }) => !folder);
  const kept = files.slice(0, budget.entriesLeft);
  const open = kept.some(({ encrypted }) => !encrypted);
  const unpacked = open ? listByLibrary(archive, budget, files.length) : undefined;
  const stopped = unpacked?.stopped;
  const entries = kept.map((file, index) => toEntry(file, unpacked?.entries[index], stopped, archive.length));
  return { entries, damage: [], cut: files.length > kept.length, ...(stopped === undefined ? {} : { stopped }) };
}

function toEntry(
  file: SevenZipFile,
  unpacked: ArchiveEntry | undefined,
  stopped: Refusal | undefined,
  packed: number,
): ArchiveEntry {
  const unpack = (archive: Buffer, max: number): Unpacked => {
    if (unpacked === undefined && stopped !== undefined) return { kind: 'over' };
    // The unpacker tells 32 bits of the size: another one means that it counts the entries differently.
    if (unpacked === undefined || unpacked.encrypted || unpacked.claimed !== file.size % 2 ** 32) {
      return { kind: 'damaged', detail: 'unscannable: it could not be unpacked' };
    }
    return unpacked.unpack(archive, max);
  };
  return { name: file.name.replaceAll('\\', '/'), packed, claimed: file.size, encrypted: file.encrypted, unpack };
}
