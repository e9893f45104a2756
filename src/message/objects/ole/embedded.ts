import type { ArchiveEntry, Listing, Unpacked } from '../entry.js';
import { type OleEntry, OleFile } from '../ole-file.js';
import { readNative } from './native.js';
import { outlookAttachments } from './outlook.js';
import { powerPointObjects } from './powerpoint.js';

/** Streams that hold a file of its own, by their names. */
const NATIVE = '\u0001Ole10Native';
const WHOLE: ReadonlySet<string> = new Set(['Package', 'CONTENTS']);

/** The files in a compound file: attachments of an Outlook message, packages, and embedded documents. */
export function listOle(file: OleFile, maxEntries: number): Listing {
  const entries: ArchiveEntry[] = [];
  for (const { name, data } of outlookAttachments(file)) entries.push(entryOf(name, data, (bytes) => bytes));
  for (const entry of file.entries) {
    if (entry.kind !== 'stream') continue;
    if (entry.name === NATIVE) {
      const head = file.read(entry, 4096);
      entries.push(entryOf(readNative(head).name || 'package', entry, (bytes) => readNative(bytes).bytes));
    } else if (WHOLE.has(entry.name)) entries.push(entryOf(entry.name.toLowerCase(), entry, (bytes) => bytes));
  }
  entries.push(...powerPointObjects(file, maxEntries + 1));
  return { entries: entries.slice(0, maxEntries), damage: [], cut: entries.length > maxEntries };
}

function entryOf(name: string, entry: OleEntry, take: (stream: Buffer) => Buffer): ArchiveEntry {
  const unpack = (archive: Buffer, max: number): Unpacked => {
    if (entry.size > archive.length) return { kind: 'damaged', detail: 'it is cut short' };
    if (entry.size > max) return { kind: 'over' };
    const stream = new OleFile(archive).read(entry, entry.size);
    const bytes = take(stream);
    return stream.length < entry.size ? { kind: 'damaged', bytes, detail: 'it is cut short' } : { kind: 'ok', bytes };
  };
  return { name, packed: entry.size, claimed: entry.size, encrypted: false, unpack };
}
