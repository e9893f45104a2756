import { unzlib } from '../inflate.js';
import type { ArchiveEntry, Unpacked } from '../entry.js';
import { OleFile, type OleEntry } from '../ole-file.js';

const STREAM = 'PowerPoint Document';
/** ExOleObjStg, ExControlStg and VbaProjectStg (MS-PPT 2.10.34). */
const STORAGE = 0x1011;
const HEADER = 8;
const MAX_RECORDS = 100_000;
const MAX_STREAM = 64 * 1024 * 1024;

/** Compound files in an old presentation: embedded objects, controls, and its macros. Each may be packed by zlib. */
export function powerPointObjects(file: OleFile, maxEntries: number): readonly ArchiveEntry[] {
  const stream = file.entries.find(({ kind, name }) => kind === 'stream' && name === STREAM);
  if (stream === undefined) return [];
  const bytes = file.read(stream, MAX_STREAM);
  const entries: ArchiveEntry[] = [];
  let at = 0;
  for (let record = 0; record < MAX_RECORDS && at + HEADER <= bytes.length; record += 1) {
    const packed = bytes.readUInt16LE(at) >> 4 === 1;
    const length = bytes.readUInt32LE(at + 4);
    if (bytes.readUInt16LE(at + 2) === STORAGE && length > 4 && entries.length < maxEntries) {
      const start = at + HEADER;
      const claimed = packed && start + 4 <= bytes.length ? bytes.readUInt32LE(start) : length;
      const place = { stream, start: packed ? start + 4 : start, end: start + length, packed, claimed };
      entries.push(entryOf(`object-${entries.length + 1}`, place));
    }
    at += HEADER + length;
  }
  return entries;
}

interface Place {
  readonly stream: OleEntry;
  readonly start: number;
  readonly end: number;
  readonly packed: boolean;
  readonly claimed: number;
}

function entryOf(name: string, { stream, start, end, packed, claimed }: Place): ArchiveEntry {
  const unpack = (archive: Buffer, max: number): Unpacked => {
    const bytes = new OleFile(archive).read(stream, Math.min(end, MAX_STREAM)).subarray(start, end);
    if (packed) return unzlib(bytes, max);
    if (bytes.length > max) return { kind: 'over' };
    return bytes.length < end - start ? { kind: 'damaged', bytes, detail: 'it is cut short' } : { kind: 'ok', bytes };
  };
  return { name, packed: end - start, claimed, encrypted: false, unpack };
}
