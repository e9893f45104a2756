import type { AnomalyName } from '../anomalies.js';
import { Mark } from '../mark.js';
import { isEnclosedMessage } from '../structure.js';
import type { Budget, Refusal } from './budget.js';
import type { Listing } from './entry.js';
import { isArchiveByName } from './claimed-archive.js';
import { textCommands } from './commands/text-commands.js';
import { type Identity, identify } from './identify.js';
import { listInline } from './inline-text.js';
import { type Lister, listerOf } from './listing.js';
import { listByLibrary } from './library/list.js';
import { holdsMessage, looksLikeMessage } from './message-file.js';
import { officeKind } from './office-zip.js';
import { listOle } from './ole/embedded.js';
import { isOle, OleFile } from './ole-file.js';
import { identifyOle } from './ole-kind.js';
import { listPdf } from './pdf/embedded.js';
import { listRar } from './rar/rar.js';
import { listRtf } from './rtf.js';
import { listSevenZip } from './seven-zip/seven-zip.js';
import { openedAs } from './text-kind.js';
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
  /** What it does that no such file should. */
  readonly anomalies?: readonly AnomalyName[];
}

/** The end record of a zip stands in the last 64 KiB and a bit. */
const ZIP_TAIL = 66_000;

/** Archives that are listed at once, as only their entries show whether they are encrypted. */
const LISTED_AT_ONCE: ReadonlyMap<string, (archive: Buffer, budget: Budget) => Listing> = new Map([
  ['7z', listSevenZip],
  ['rar', listRar],
  ['cab', listByLibrary],
  ['lha', listByLibrary],
]);

/** Marks of archives that unpackers look for behind other bytes. */
const MARKS: readonly (readonly [Mark, (archive: Buffer, budget: Budget) => Listing])[] = [
  [new Mark('Rar!\x1a\x07'), listRar],
  [new Mark("7z\xbc\xaf'\x1c"), listSevenZip],
  [new Mark('MSCF\0\0\0\0'), listByLibrary],
];

const BY_NAME: ContentProblem = { kind: 'error', detail: 'unscannable: it is an archive by its name alone' };
const MESSAGE: Identity = { type: 'text', format: 'eml', encrypted: false, macro: false };

/** What an object claims to be. */
export interface Claims {
  /** Media type that the message gives; empty for archive entries. */
  readonly mime: string;
  /** The one by which it would run, if it has several. */
  readonly extension: string;
  readonly names: readonly string[];
}

/**
 * Identifies an object and chooses the reader that opens it.
 * @param level of the object's entries, as `maxDepth` counts
 */
export function inspectContent(bytes: Buffer, claims: Claims, budget: Budget, level: number): Seen {
  const { mime, extension } = claims;
  if (isEnclosedMessage(mime) || holdsMessage(mime, bytes)) {
    return { identity: MESSAGE, opens: 'message', problems: [] };
  }
  if (isOle(bytes)) return withZip(ole(bytes, budget), bytes, budget);
  const identity = identify(bytes, openedAs(extension, mime));
  if (identity.format === 'zip') return zip(bytes, identity, extension, budget);
  // NUL in its header does not keep mail programs from reading it.
  const isUnknown = identity.type === 'other' && identity.format === '';
  if ((identity.type === 'text' || isUnknown) && looksLikeMessage(bytes, extension)) {
    return { identity: MESSAGE, opens: 'message', problems: [] };
  }
  const seen = opened(bytes, identity, budget, level);
  const isText = identity.type === 'text' || identity.type === 'script' || identity.format === 'rtf';
  if (isText) return withCommands(seen, bytes, claims);
  const isLost = seen.opens === undefined && seen.problems.length === 0 && isArchiveByName(identity, claims.names);
  return isLost ? { ...seen, problems: [BY_NAME] } : seen;
}

function opened(bytes: Buffer, identity: Identity, budget: Budget, level: number): Seen {
  const seen = openedBy(bytes, identity, budget, level);
  if (seen !== undefined) return withZip(seen, bytes, budget);
  return { identity, ...behind(bytes, identity, budget, level), problems: [] };
}

/** A text: what it does to the program that opens it, and the files that stand in it. */
function withCommands(seen: Seen, bytes: Buffer, { mime, extension, names }: Claims): Seen {
  const { macro, remote } = textCommands(bytes, seen.identity.format, extension, mime);
  const { type } = seen.identity;
  const inside =
    seen.opens === undefined && (type === 'text' || type === 'script')
      ? listInline(bytes, type === 'script')
      : undefined;
  const opens = seen.opens ?? (inside === undefined ? undefined : (): Listing => inside);
  const isLost = opens === undefined && bytes.length > 0 && isArchiveByName(seen.identity, names);
  return {
    ...seen,
    identity: macro ? { ...seen.identity, macro } : seen.identity,
    ...(opens === undefined ? {} : { opens }),
    problems: isLost ? [...seen.problems, BY_NAME] : seen.problems,
    ...(remote ? { anomalies: ['remote-template'] } : {}),
  };
}

/** By the reader for its format; undefined when there is none, or nothing to open. */
function openedBy(bytes: Buffer, identity: Identity, budget: Budget, level: number): Seen | undefined {
  if (identity.format === 'pdf') {
    const listing = listPdf(bytes, identity.encrypted, budget);
    const isEmpty = listing.entries.length === 0 && listing.damage.length === 0;
    return isEmpty ? undefined : { identity, opens: () => listing, problems: [] };
  }
  if (identity.format === 'rtf') {
    const listing = listRtf(bytes, budget.entriesLeft);
    const isEmpty = listing.entries.length === 0 && listing.damage.length === 0;
    return isEmpty ? undefined : { identity, opens: () => listing, problems: [] };
  }
  const listAtOnce = LISTED_AT_ONCE.get(identity.format);
  if (listAtOnce !== undefined) return listedAtOnce(bytes, identity, listAtOnce, budget, level);
  const lister = listerOf(identity.format);
  if (lister !== undefined) return { identity, opens: lister, problems: [] };
  return identity.type === 'archive' || identity.type === 'disk-image' ? unscannable(identity) : undefined;
}

/** A file of another format that a zip is put behind opens as that zip for who takes it for one. */
function withZip(seen: Seen, bytes: Buffer, budget: Budget): Seen {
  if (!endsAsZip(bytes) || seen.opens === 'message') return seen;
  const listing = listZip(bytes, budget.entriesLeft);
  const { opens } = seen;
  if (listing.entries.length === 0) return seen;
  if (opens === undefined) return { ...seen, opens: () => listing };
  return { ...seen, opens: (archive, left, name) => joined(opens(archive, left, name), listing) };
}

function joined(first: Listing, second: Listing): Listing {
  return {
    ...first,
    entries: [...first.entries, ...second.entries],
    damage: [...first.damage, ...second.damage],
    cut: first.cut || second.cut,
  };
}

/** An archive behind other bytes: programs that unpack themselves, and pictures that are archives to an unpacker. */
function behind(bytes: Buffer, identity: Identity, budget: Budget, level: number): Pick<Seen, 'opens'> {
  // Unpackers read a zip from its end.
  if (hasZipTail(bytes)) {
    const listing = listZip(bytes, budget.entriesLeft);
    if (listing.entries.length > 0) return { opens: () => listing };
  }
  if (identity.type === 'text' || level > budget.maxDepth) return {};
  for (const [mark, list] of MARKS) {
    const at = mark.indexIn(bytes);
    if (at <= 0) continue;
    const listing = list(bytes.subarray(at), budget);
    // The mark alone is no archive: virus scanners carry it as well.
    if (listing.entries.length > 0 || listing.encrypted === true) return { opens: () => shifted(listing, at) };
  }
  return {};
}

/** Entries of an archive that starts later in its file. */
function shifted(listing: Listing, start: number): Listing {
  const entries = listing.entries.map((entry) => ({
    ...entry,
    unpack: (file: Buffer, max: number) => entry.unpack(file.subarray(start), max),
  }));
  return { ...listing, entries };
}

function ole(bytes: Buffer, budget: Budget): Seen {
  const file = new OleFile(bytes);
  const identity = identifyOle(file);
  const listing = listOle(file, budget.entriesLeft);
  return listing.entries.length === 0 ? { identity, problems: [] } : { identity, opens: () => listing, problems: [] };
}

function listedAtOnce(
  bytes: Buffer,
  identity: Identity,
  list: (archive: Buffer, budget: Budget) => Listing,
  budget: Budget,
  level: number,
): Seen {
  if (level > budget.maxDepth) return { identity, problems: [{ kind: 'limit', bound: 'depth' }] };
  const listing = list(bytes, budget);
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
  const odd: Pick<Seen, 'anomalies'> = office.remote ? { anomalies: ['remote-template'] } : {};
  if (extension === 'zip' || office.foreign) return { identity: seen, opens: () => listing, problems: [], ...odd };
  if (office.embedded.length > 0) {
    return { identity: seen, opens: () => ({ ...listing, entries: office.embedded }), problems: [], ...odd };
  }
  const problems: ContentProblem[] = listing.damage.map((detail) => ({ kind: 'error', detail }));
  if (listing.cut) problems.push({ kind: 'limit', bound: 'entries' });
  return { identity: seen, problems, ...odd };
}

function runsOnJava(listing: Listing): boolean {
  return listing.entries.some(({ name }) => name === 'META-INF/MANIFEST.MF');
}

function hasZipTail(bytes: Buffer): boolean {
  return bytes.length > 22 && bytes.subarray(-ZIP_TAIL).lastIndexOf('PK\x05\x06', undefined, 'latin1') >= 0;
}

/** The end record of a zip, with a comment that ends where the file does. */
function endsAsZip(bytes: Buffer): boolean {
  const tail = bytes.subarray(-ZIP_TAIL);
  const at = tail.length < 22 ? -1 : tail.lastIndexOf('PK\x05\x06', undefined, 'latin1');
  return at >= 0 && at + 22 <= tail.length && at + 22 + tail.readUInt16LE(at + 20) === tail.length;
}
