import type { ArchiveEntry, Listing } from './entry.js';
import { rangeEntry } from './onenote.js';
import { readCString } from './text-bytes.js';

const APPLE_DOUBLE = 0x00051607;
const DATA_FORK = 1;
const REAL_NAME = 3;
const MAX_FORKS = 100;

/** Whether a file of AppleDouble (RFC 1740, appendix B), which has the rest of a file, holds the data too. */
export function holdsDataFork(bytes: Buffer): boolean {
  if (bytes.length < 38 || bytes.readUInt32BE(0) !== APPLE_DOUBLE) return false;
  return listAppleSingle(bytes, '').entries.some(({ claimed }) => claimed > 0);
}

/** The file in AppleSingle (RFC 1740, appendix A): Apple's readers show it as the attachment. */
export function listAppleSingle(bytes: Buffer, archiveName: string): Listing {
  const count = bytes.length < 26 ? 0 : Math.min(MAX_FORKS, bytes.readUInt16BE(24));
  let name = archiveName;
  let fork: { readonly start: number; readonly size: number } | undefined;
  for (let index = 0, at = 26; index < count && at + 12 <= bytes.length; index += 1, at += 12) {
    const start = bytes.readUInt32BE(at + 4);
    const size = bytes.readUInt32BE(at + 8);
    if (bytes.readUInt32BE(at) === DATA_FORK) fork ??= { start, size };
    else if (bytes.readUInt32BE(at) === REAL_NAME) name = readCString(bytes, start, Math.min(size, 255));
  }
  if (fork === undefined) return { entries: [], damage: ['it has no data'], cut: false };
  const start = Math.min(fork.start, bytes.length);
  const entry: ArchiveEntry = rangeEntry(name, start, Math.min(bytes.length, start + fork.size), fork.size);
  return { entries: [entry], damage: [], cut: false };
}
