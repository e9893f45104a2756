import type { ByteRange } from '../../types.js';
import type { ArchiveEntry } from '../entry.js';

/** A file in an image, as pieces of the image. */
export interface ImageFile {
  readonly name: string;
  readonly size: number;
  readonly pieces: readonly ByteRange[];
}

/** What a reader of one file system found. */
export interface ImageListing {
  readonly files: readonly ImageFile[];
  readonly damaged: boolean;
  /** There were more files than asked for. */
  readonly cut: boolean;
}

/** Two file systems of one image mostly name the same bytes. */
export function sameBytes(file: ImageFile): string {
  return `${file.pieces[0]?.start ?? -1}:${file.size}`;
}

export function toEntry({ name, size, pieces }: ImageFile): ArchiveEntry {
  return {
    name,
    packed: size,
    claimed: size,
    encrypted: false,
    unpack: (image, max) => {
      if (size > max) return { kind: 'over' };
      const parts = pieces.map(({ start, end }) => image.subarray(start, end));
      const [only] = parts;
      const bytes = (parts.length === 1 && only !== undefined ? only : Buffer.concat(parts)).subarray(0, size);
      return bytes.length < size ? { kind: 'damaged', bytes, detail: 'it is cut short' } : { kind: 'ok', bytes };
    },
  };
}
