import type { MessageObject } from '../types.js';
import type { Listing } from './entry.js';
import type { Identity } from './identify.js';

/** Extensions by which a reader's system hands a file to an unpacker or mounts it. */
const ARCHIVES =
  /\.(zip|zipx|7z|rar|r\d\d|z\d\d|tar|tgz|taz|tbz|tbz2|tb2|txz|tlz|tzst|gz|bz2|xz|lzma|lz|lz4|zst|z|cab|arj|ace|lzh|lha|cpio|rpm|deb|iso|vhd|vhdx|wim|dmg|alz|egg|zoo|arc|sit|sitx|br|p7m)$/i;
/** Later pieces of an archive that was cut: `a.zip.002`, `a.7z.003`, `a.part2.rar`. */
const PIECE = /\.(zip|zipx|7z|rar|tar|gz|tgz|iso)\.\d{2,4}$|\.part0*[2-9]\d*\.rar$/i;

/**
 * Whether an object is an archive by its name alone: its bytes are of no format that is known, or text. It is a piece of
 * one, or a form that some unpacker knows and this program does not.
 */
export function isArchiveByName(identity: Identity, names: readonly string[]): boolean {
  if (identity.encrypted) return false;
  const isUnknown = identity.type === 'other' && identity.format === '';
  if (!isUnknown && identity.type !== 'text' && identity.type !== 'executable') return false;
  return names.some((name) => {
    const plain = name.trimEnd();
    return PIECE.test(plain) || ARCHIVES.test(plain);
  });
}

/** An empty archive is smaller, folders and all. */
const EMPTY = 16 * 1024;

/** Whether an archive should hold something by its size, and nothing was found, nor anything wrong with it. */
export function isLost({ type, size, encrypted }: MessageObject, listing: Listing): boolean {
  if ((type !== 'archive' && type !== 'disk-image') || size <= EMPTY || encrypted) return false;
  return listing.entries.length === 0 && listing.damage.length === 0 && !listing.cut && listing.stopped === undefined;
}
