import type { Refusal } from './budget.js';

/** One entry of an archive, as its reader found it. */
export interface ArchiveEntry {
  /** Path inside the archive, decoded, with forward slashes; may be empty. */
  readonly name: string;
  /** Further names by which one unpacker or another shows it. */
  readonly otherNames?: readonly string[];
  /** Bytes that it takes in the archive. */
  readonly packed: number;
  /** Unpacked size that the archive claims. */
  readonly claimed: number;
  readonly encrypted: boolean;
  /**
   * Unpacks the entry.
   * @param max no more than this many bytes are ever made
   */
  unpack(archive: Buffer, max: number): Unpacked;
}

export type Unpacked =
  | { readonly kind: 'ok'; readonly bytes: Buffer }
  /** Damaged: what could be had of it, if anything. `work`: bytes that may have been unpacked in vain. */
  | { readonly kind: 'damaged'; readonly bytes?: Buffer; readonly detail: string; readonly work?: number }
  /** It would have become larger than allowed. */
  | { readonly kind: 'over' };

/** With nothing left to spend nothing is tried: also what fails costs time. */
export function unpackWithin(entry: ArchiveEntry, archive: Buffer, max: number): Unpacked {
  return max <= 0 ? { kind: 'over' } : entry.unpack(archive, max);
}

/** What an archive reader found. */
export interface Listing {
  readonly entries: readonly ArchiveEntry[];
  /** What is wrong with the archive as such, for people. */
  readonly damage: readonly string[];
  /** There were more entries than allowed; `entries` holds the first ones. */
  readonly cut: boolean;
  /** The list of entries cannot be read without a password. */
  readonly encrypted?: boolean;
  /** An entry is over this bound, and those behind it cannot be reached without unpacking it. */
  readonly stopped?: Refusal;
}
