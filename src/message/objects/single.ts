import type { Listing, Unpacked } from './entry.js';

/** The extensions that packers of one file add, and what stands for a packed tar. */
const ADDED = /\.(gz|gzip|z|bz2|bzip2|bz|xz|lzma|lz)$/i;
const TAR = /\.(tgz|taz|tbz|tbz2|tb2|txz|tlz)$/i;

/**
 * The one file in a format that packs one file.
 * @param name of the file, where the format keeps it; else it is the archive's without its extension
 */
export function listSingle(
  archive: Buffer,
  archiveName: string,
  claimed: number,
  unpack: (archive: Buffer, max: number) => Unpacked,
  name?: string,
): Listing {
  const shown = name ?? innerName(archiveName);
  return {
    entries: [{ name: shown, packed: archive.length, claimed, encrypted: false, unpack }],
    damage: [],
    cut: false,
  };
}

function innerName(archiveName: string): string {
  const base = archiveName.slice(archiveName.lastIndexOf('/') + 1);
  return TAR.test(base) ? base.replace(/\.[^.]+$/, '.tar') : base.replace(ADDED, '');
}
