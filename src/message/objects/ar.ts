import { decodeUnlabelled } from '../decode/charset.js';
import type { ArchiveEntry, Listing } from './entry.js';
import { storedEntry } from './stored.js';

const MAGIC = 8;
const HEADER = 60;

/** Lists an ar, such as a Debian package, with the long names of GNU and BSD: ar(5). */
export function listAr(archive: Buffer, maxEntries: number): Listing {
  const entries: ArchiveEntry[] = [];
  let names: Buffer = Buffer.alloc(0);
  let at = MAGIC;
  while (at + HEADER <= archive.length) {
    const size = Number.parseInt(archive.toString('latin1', at + 48, at + 58), 10);
    if (!(size >= 0) || archive.toString('latin1', at + 58, at + 60) !== '`\n') {
      return { entries, damage: ['an ar header is damaged'], cut: false };
    }
    if (entries.length >= maxEntries) return { entries, damage: [], cut: true };
    const data = at + HEADER;
    const name = archive.toString('latin1', at, at + 16).trimEnd();
    if (name === '//') names = archive.subarray(data, data + size);
    else if (/^#1\/\d+$/.test(name)) {
      const length = Math.min(size, Number.parseInt(name.slice(3), 10));
      const long = decodeUnlabelled(archive.subarray(data, data + length)).replace(/\0+$/, '');
      entries.push(storedEntry(long, data + length, size - length));
    } else if (name !== '/' && name !== '/SYM64/') entries.push(storedEntry(gnuName(name, names), data, size));
    at = data + size + (size % 2);
  }
  return { entries, damage: [], cut: false };
}

function gnuName(name: string, names: Buffer): string {
  if (!/^\/\d+$/.test(name)) return name.replace(/\/$/, '');
  const start = Number.parseInt(name.slice(1), 10);
  const end = names.indexOf(0x0a, start);
  return decodeUnlabelled(names.subarray(start, end < 0 ? names.length : end)).replace(/\/$/, '');
}
