import type { Budget } from './budget.js';
import { partCommands } from './commands/office-parts.js';
import type { ArchiveEntry, Listing } from './entry.js';
import type { Kind } from './magic.js';

/** A document that is a zip. */
export interface OfficeKind extends Kind {
  readonly macro: boolean;
  readonly encrypted: boolean;
  /** Entries that are files of their own inside the document. */
  readonly embedded: readonly ArchiveEntry[];
  /** It holds entries that belong in no document: it is looked into like any archive. */
  readonly foreign: boolean;
  /** It has a template or an object fetched from another machine. */
  readonly remote: boolean;
}

const OOXML: readonly (readonly [string, Kind])[] = [
  ['word/', { type: 'document', format: 'docx' }],
  ['xl/', { type: 'spreadsheet', format: 'xlsx' }],
  ['ppt/', { type: 'presentation', format: 'pptx' }],
  ['visio/', { type: 'document', format: 'vsdx' }],
  ['documents/', { type: 'document', format: 'xps' }],
];
const MACRO_FORMATS: ReadonlyMap<string, string> = new Map([
  ['docx', 'docm'],
  ['xlsx', 'xlsm'],
  ['pptx', 'pptm'],
  ['vsdx', 'vsdm'],
]);
/** By the `mimetype` entry, which comes first and is stored (ODF 1.3 part 2, 3.3). */
const BY_MIME: readonly (readonly [string, Kind])[] = [
  ['application/vnd.oasis.opendocument.text', { type: 'document', format: 'odt' }],
  ['application/vnd.oasis.opendocument.spreadsheet', { type: 'spreadsheet', format: 'ods' }],
  ['application/vnd.oasis.opendocument.presentation', { type: 'presentation', format: 'odp' }],
  ['application/vnd.oasis.opendocument', { type: 'document', format: 'odf' }],
  ['application/epub+zip', { type: 'document', format: 'epub' }],
];
/** What runs when it is opened has no place in a document. */
const RUNS = /\.(exe|dll|scr|com|pif|cpl|msi|js|jse|vbs|vbe|wsf|hta|bat|cmd|ps1|lnk|jar)$/;
const EMBEDDED = /^(word|xl|ppt|visio)\/(embeddings\/[^/]+|activex\/[^/]+\.bin)$/;
const MAX_SMALL = 256 * 1024;

/** Tells documents from other zips by their entries; undefined for those. */
export function officeKind(archive: Buffer, listing: Listing, budget: Budget): OfficeKind | undefined {
  const names = listing.entries.map(({ name }) => name.toLowerCase().replace(/^\/+/, ''));
  const foreign = names.some((name) => RUNS.test(name));
  if (names.includes('[content_types].xml')) {
    const kind = OOXML.find(([folder]) => names.some((name) => name.startsWith(folder)))?.[1];
    if (kind === undefined) return undefined;
    const said = partCommands(listing.entries, names, (entry, max) => partText(archive, entry, max, budget));
    const macro =
      said.macro || names.some((name) => name.endsWith('vbaproject.bin') || name.startsWith('xl/macrosheets/'));
    const format = names.includes('xl/workbook.bin') ? 'xlsb' : kind.format;
    const embedded = listing.entries.filter((_, index) => isEmbedded(names[index] ?? '', said.objects));
    const shown = macro ? (MACRO_FORMATS.get(format) ?? format) : format;
    return { type: kind.type, format: shown, macro, encrypted: false, embedded, foreign, remote: said.remote };
  }
  const mime = small(archive, listing, names.indexOf('mimetype'), budget).trim();
  const kind = mime === '' ? undefined : BY_MIME.find(([prefix]) => mime.startsWith(prefix))?.[1];
  if (kind === undefined) return undefined;
  const macro = names.some((name) => /^(basic\/[^/]+\/(?!script-l[bc]\.xml)[^/]+|scripts\/.+)$/.test(name));
  const manifest = small(archive, listing, names.indexOf('meta-inf/manifest.xml'), budget);
  const embedded = listing.entries.filter((_, index) => /^object [^/]*$/.test(names[index] ?? ''));
  const encrypted = kind.format !== 'epub' && manifest.includes('encryption-data');
  return { ...kind, macro, encrypted, embedded, foreign, remote: false };
}

function isEmbedded(name: string, objects: ReadonlySet<string>): boolean {
  return EMBEDDED.test(name) || objects.has(name.slice(name.lastIndexOf('/') + 1));
}

/** A small entry as text; empty when it cannot be had. */
function small(archive: Buffer, listing: Listing, index: number, budget: Budget): string {
  const entry = listing.entries[index];
  return entry === undefined || entry.claimed > MAX_SMALL ? '' : partText(archive, entry, MAX_SMALL, budget);
}

/** An entry as text, as far as it can be had. */
function partText(archive: Buffer, entry: ArchiveEntry, max: number, budget: Budget): string {
  const allowed = Math.min(max, budget.allowance(entry.packed).bytes);
  if (entry.encrypted || allowed <= 0) return '';
  const result = entry.unpack(archive, allowed);
  if (result.kind === 'over' || result.bytes === undefined) return '';
  budget.spend(result.bytes.length);
  return result.bytes.toString('latin1');
}
