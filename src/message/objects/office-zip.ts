import type { Budget } from './budget.js';
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
    const macro = names.some((name) => name.endsWith('vbaproject.bin') || name.startsWith('xl/macrosheets/'));
    const format = names.includes('xl/workbook.bin') ? 'xlsb' : kind.format;
    const embedded = listing.entries.filter((_, index) => EMBEDDED.test(names[index] ?? ''));
    const shown = macro ? (MACRO_FORMATS.get(format) ?? format) : format;
    return { type: kind.type, format: shown, macro, encrypted: false, embedded, foreign };
  }
  const mime = small(archive, listing, names.indexOf('mimetype'), budget).trim();
  const kind = mime === '' ? undefined : BY_MIME.find(([prefix]) => mime.startsWith(prefix))?.[1];
  if (kind === undefined) return undefined;
  const macro = names.some((name) => /^(basic\/[^/]+\/(?!script-l[bc]\.xml)[^/]+|scripts\/.+)$/.test(name));
  const manifest = small(archive, listing, names.indexOf('meta-inf/manifest.xml'), budget);
  const embedded = listing.entries.filter((_, index) => /^object [^/]*$/.test(names[index] ?? ''));
  const encrypted = kind.format !== 'epub' && manifest.includes('encryption-data');
  return { ...kind, macro, encrypted, embedded, foreign };
}

/** A small entry as text; empty when it cannot be had. */
function small(archive: Buffer, listing: Listing, index: number, budget: Budget): string {
  const entry = listing.entries[index];
  if (entry === undefined || entry.encrypted || entry.claimed > MAX_SMALL) return '';
  const result = entry.unpack(archive, MAX_SMALL);
  if (result.kind !== 'ok') return '';
  budget.spend(result.bytes.length);
  return result.bytes.toString('latin1');
}
