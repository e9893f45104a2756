import type { ArchiveEntry } from './entry.js';

/** An entry whose bytes stand in the archive as they are. */
export function storedEntry(name: string, start: number, size: number): ArchiveEntry {
  return {
    name,
    packed: size,
    claimed: size,
    encrypted: false,
    unpack: (archive, max) => {
      if (size > max) return { kind: 'over' };
      const bytes = archive.subarray(start, start + size);
      return bytes.length < size ? { kind: 'damaged', bytes, detail: 'it is cut short' } : { kind: 'ok', bytes };
    },
  };
}
