import type { Budget } from '../budget.js';
import type { ArchiveEntry, Listing, Unpacked } from '../entry.js';
import { embeddedNames } from './file-names.js';
import { filtersOf, unfilter } from './filters.js';
import { decodeNames, type PdfStream, pdfStreams } from './streams.js';

/** Bytes of object streams that are unpacked to look for the names of files. */
const MAX_OBJECT_STREAMS = 32 * 1024 * 1024;

/**
 * The files that are embedded in a PDF (ISO 32000-1 7.11.4): streams that say so, and those that a file specification
 * names, also in an object stream (7.5.7).
 * @param encrypted nothing of an encrypted one can be read without its password
 */
export function listPdf(bytes: Buffer, encrypted: boolean, budget: Budget): Listing {
  const named = new Map<number, string>();
  if (bytes.includes('/EF')) embeddedNames(bytes.toString('latin1'), named);
  const streams: PdfStream[] = [];
  const damage: string[] = [];
  let left = MAX_OBJECT_STREAMS;
  let unread = 0;
  for (const stream of pdfStreams(bytes)) {
    const { dictionary } = stream;
    if (/\/ObjStm\b/.test(dictionary)) {
      if (encrypted) continue;
      const result = unfilter(bytes.subarray(stream.start, stream.end), filtersOf(dictionary), left);
      if (result.kind === 'over' || result.bytes === undefined) {
        unread += 1;
        continue;
      }
      budget.spend(result.bytes.length);
      left = Math.max(1, left - result.bytes.length);
      const text = decodeNames(result.bytes.toString('latin1'));
      if (text.includes('/EF')) embeddedNames(text, named);
    } else streams.push(stream);
  }
  if (unread > 0) damage.push('unscannable: a part of the PDF cannot be read');
  const found = streams.filter(({ number, dictionary }) => /\/EmbeddedFile\b/.test(dictionary) || named.has(number));
  const maxEntries = budget.entriesLeft;
  const entries = found.slice(0, maxEntries).map((stream) => toEntry(stream, named.get(stream.number), encrypted));
  return { entries, damage, cut: found.length > maxEntries };
}

function toEntry(stream: PdfStream, name: string | undefined, encrypted: boolean): ArchiveEntry {
  const filters = filtersOf(stream.dictionary);
  const size = /\/Size\s{0,10}(\d{1,10})/.exec(stream.dictionary)?.[1];
  return {
    name: name === undefined || name === '' || encrypted ? `embedded-${stream.number}` : name.replaceAll('\\', '/'),
    packed: stream.end - stream.start,
    claimed: size === undefined ? stream.end - stream.start : Number(size),
    encrypted: encrypted || filters.includes('Crypt'),
    unpack: (archive, max): Unpacked => unfilter(archive.subarray(stream.start, stream.end), filters, max),
  };
}
