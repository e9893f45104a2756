import { isEnclosedMessage } from '../structure.js';
import type { Budget, Refusal } from './budget.js';
import type { Listing } from './entry.js';
import { type Identity, identify } from './identify.js';
import { type Lister, listerOf } from './listing.js';
import { listByLibrary } from './library/list.js';
import { officeKind } from './office-zip.js';
import { listOle } from './ole/embedded.js';
import { isOle, OleFile } from './ole-file.js';
import { identifyOle } from './ole-kind.js';
import { listPdf } from './pdf/embedded.js';
import { listZip } from './zip.js';

/** What could not be looked into. */
export type ContentProblem =
  | { readonly kind: 'error'; readonly detail: string }
  | { readonly kind: 'limit'; readonly bound: Refusal | 'entries' | 'depth' };

/** What was learnt of an object from its bytes, and how to look further into it. */
export interface Seen {
  readonly identity: Identity;
  /** How its entries are listed; `message` for an enclosed message; undefined when there is nothing to open. */
  readonly opens?: Lister | 'message';
  readonly problems: readonly ContentProblem[];
}

/** The end record of a zip stands in the last 64 KiB and a bit. */
const ZIP_TAIL = 66_000;

/** Archives that libarchive opens. */
const BY_LIBRARY: ReadonlySet<string> = new Set(['7z', 'rar', 'cab', 'lha']);

const MESSAGE: Identity = { type: 'text', format: 'eml', encrypted: false, macro: false };

/**
 * Identifies an object and chooses the reader that opens it.
 * @param mime media type that the message claims; empty for archive entries
 * @param level of the object's entries, as `maxDepth` counts
 */
export function inspectContent(bytes: Buffer, mime: string, extension: string, budget: Budget, level: number): Seen {
  if (isEnclosedMessage(mime)) return { identity: MESSAGE, opens: 'message', problems: [] };
  if (isOle(bytes)) return ole(bytes, budget);
  const identity = identify(bytes, extension);
  if (identity.format === 'zip') return zip(bytes, identity, extension, budget);
  if (identity.type === 'text' && looksLikeMessage(bytes, extension)) {
    return { identity: MESSAGE, opens: 'message', problems: [] };
  }
  if (identity.format === 'pdf') {
    const listing = listPdf(bytes, identity.encrypted, budget);
    if (listing.entries.length > 0 || listing.damage.length > 0)
      return { identity, opens: () => listing, problems: [] };
  }
  if (BY_LIBRARY.has(identity.format)) return byLibrary(bytes, identity, budget, level);
  const lister = listerOf(identity.format);
  if (lister !== undefined) return { identity, opens: lister, problems: [] };
  if (identity.type === 'archive' || identity.type === 'disk-image') return unscannable(identity);
  // A program or picture with a zip behind it: unpackers read a zip from its end.
  if (hasZipTail(bytes)) {
    const listing = listZip(bytes, budget.entriesLeft);
    if (listing.entries.length > 0) return { identity, opens: () => listing, problems: [] };
  }
  return { identity, problems: [] };
}

function ole(bytes: Buffer, budget: Budget): Seen {
  const file = new OleFile(bytes);
  const identity = identifyOle(file);
  const listing = listOle(file, budget.entriesLeft);
  return listing.entries.length === 0 ? { identity, problems: [] } : { identity, opens: () => listing, problems: [] };
}

/** Whether it is encrypted shows only when it is listed. */
function byLibrary(bytes: Buffer, identity: Identity, budget: Budget, level: number): Seen {
  if (level > budget.maxDepth) return { identity, problems: [{ kind: 'limit', bound: 'depth' }] };
  const listing = listByLibrary(bytes, budget);
  const encrypted = listing.encrypted === true || listing.entries.some((entry) => entry.encrypted);
  return { identity: { ...identity, encrypted }, opens: () => listing, problems: [] };
}

function unscannable(identity: Identity): Seen {
  return { identity, problems: [{ kind: 'error', detail: `unscannable: ${identity.format} cannot be opened` }] };
}

function zip(bytes: Buffer, identity: Identity, extension: string, budget: Budget): Seen {
  const listing = listZip(bytes, budget.entriesLeft);
  const encrypted = listing.entries.some((entry) => entry.encrypted);
  const office = encrypted ? undefined : officeKind(bytes, listing, budget);
  if (office === undefined) {
    const format = runsOnJava(listing) ? 'jar' : 'zip';
    return { identity: { ...identity, format, encrypted }, opens: () => listing, problems: [] };
  }
  const { type, format } = office;
  const seen: Identity = { type, format, encrypted: office.encrypted, macro: office.macro };
  // Whoever calls it a zip can unpack it as one, and programs have no place in a document.
  if (extension === 'zip' || office.foreign) return { identity: seen, opens: () => listing, problems: [] };
  if (office.embedded.length > 0) {
    return { identity: seen, opens: () => ({ ...listing, entries: office.embedded }), problems: [] };
  }
  const problems: ContentProblem[] = listing.damage.map((detail) => ({ kind: 'error', detail }));
  if (listing.cut) problems.push({ kind: 'limit', bound: 'entries' });
  return { identity: seen, problems };
}

function runsOnJava(listing: Listing): boolean {
  return listing.entries.some(({ name }) => name === 'META-INF/MANIFEST.MF');
}

function hasZipTail(bytes: Buffer): boolean {
  return bytes.length > 22 && bytes.subarray(-ZIP_TAIL).lastIndexOf('PK\x05\x06', undefined, 'latin1') >= 0;
}

/** A message kept as a file, in an archive or attached under a type of its own. */
function looksLikeMessage(bytes: Buffer, extension: string): boolean {
  if (extension !== 'eml' && extension !== 'mht' && extension !== 'mhtml') return false;
  return /^[\x21-\x39\x3b-\x7e]{1,60}:/.test(bytes.toString('latin1', 0, 64));
}
