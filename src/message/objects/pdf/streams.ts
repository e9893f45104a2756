import { Mark } from '../../mark.js';

const STREAM = Buffer.from('stream', 'latin1');
const END = new Mark('endstream');
/** Bytes that may stand between the data and the mark. */
const LINE_ENDS = 4;
/** Streams that are looked at; the largest of honest files have some ten thousand. */
const MAX_STREAMS = 100_000;
/** Dictionaries of streams are short; only this much before a stream is searched for its start. */
const NEAR = 512;
const FAR = 8192;

/** A stream object of a PDF (ISO 32000-1 7.3.8). */
export interface PdfStream {
  /** Number of the object. */
  readonly number: number;
  /** Its dictionary, with `#xx` in names decoded. */
  readonly dictionary: string;
  /** Where its bytes start, and where they probably end. */
  readonly start: number;
  readonly end: number;
}

/**
 * The streams of a PDF in the order of the file. The cross-reference table is not asked: readers do without a damaged
 * one, and what it does not name may still be found by them.
 */
export function* pdfStreams(bytes: Buffer): Generator<PdfStream> {
  let at = bytes.indexOf(STREAM);
  for (let count = 0; at >= 0 && count < MAX_STREAMS; count += 1) {
    const start = dataStart(bytes, at + STREAM.length);
    const head = start === undefined ? undefined : (headBefore(bytes, at, NEAR) ?? headBefore(bytes, at, FAR));
    if (start === undefined || head === undefined) {
      at = bytes.indexOf(STREAM, at + STREAM.length);
      continue;
    }
    const end = dataEnd(bytes, start, head.dictionary);
    yield { start, end, ...head };
    at = bytes.indexOf(STREAM, Math.max(start, end + END.length));
  }
}

/** Behind the line end that the keyword must have; undefined where the word is not the keyword. */
function dataStart(bytes: Buffer, at: number): number | undefined {
  if (bytes[at] === 0x0d) return bytes[at + 1] === 0x0a ? at + 2 : at + 1;
  if (bytes[at] === 0x0a) return at + 1;
  return undefined;
}

function headBefore(
  bytes: Buffer,
  at: number,
  distance: number,
): { readonly number: number; readonly dictionary: string } | undefined {
  const text = bytes.toString('latin1', Math.max(0, at - distance), at);
  const start = text.lastIndexOf('obj');
  if (start < 0) return undefined;
  const number = /(\d{1,10})\s{1,10}\d{1,5}\s{1,10}$/.exec(text.slice(Math.max(0, start - 40), start));
  if (number === null) return undefined;
  return { number: Number(number[1]), dictionary: decodeNames(text.slice(start + 3)) };
}

/** By the length that the dictionary gives, when a mark stands there; else by the mark. */
function dataEnd(bytes: Buffer, start: number, dictionary: string): number {
  const length = /\/Length\s{0,10}(\d{1,10})(?!\s{1,10}\d{1,5}\s{1,10}R)/.exec(dictionary)?.[1];
  if (length !== undefined) {
    const end = start + Number(length);
    if (END.isIn(bytes.subarray(end, end + LINE_ENDS + END.length))) return end;
  }
  const mark = END.indexIn(bytes, start);
  return mark < 0 ? bytes.length : mark;
}

/** Any character of a name may be written as `#` and two digits (7.3.5), which hides it from a plain search. */
export function decodeNames(text: string): string {
  if (!text.includes('#')) return text;
  return text.replace(/#([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
