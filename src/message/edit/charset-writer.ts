import { isAscii } from 'node:buffer';
import iconv from 'iconv-lite';

/** Writes text in the charset of a part that is there already. */
export interface CharsetWriter {
  /** Every character can be written. */
  readonly unicode: boolean;
  /** Bytes of one unit: 2 for UTF-16. Where it is 1, ASCII characters are the bytes of ASCII. */
  readonly unit: 1 | 2;
  /** Of UTF-16. */
  readonly bigEndian?: boolean;
  /** Length of the byte order mark that the part begins with. */
  readonly mark: number;
  /** Transliterates what the charset lacks, or puts a question mark. */
  text(text: string): Buffer;
  /** Writes what the charset lacks as numeric character references. */
  html(html: string): Buffer;
}

const ASCII_LABELS: ReadonlySet<string> = new Set(['', 'us-ascii', 'ascii', 'ansi_x3.4-1968', 'iso646-us', '7bit']);
const UTF8_LABELS: ReadonlySet<string> = new Set(['utf-8', 'utf8', 'unicode-1-1-utf-8', 'utf-8-bom']);
/** Letters of which one character after another cannot be told: whatever stands in ASCII is as in ASCII. */
const PROBE = '<Az09 >&#;"\'\r\n';

/** What typewriters wrote; other letters lose their marks. */
const REPLACEMENTS: ReadonlyMap<string, string> = new Map([
  ...pairs('\u2018\u2019\u201a\u201b\u2032\u2039\u203a', "'"),
  ...pairs('\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb', '"'),
  ...pairs('\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u00ad', '-'),
  ...pairs('\u00a0\u2002\u2003\u2007\u2009\u200a\u202f\u3000', ' '),
  ...pairs('\u200b\u200c\u200d\u2060\ufeff\ufe0f\u2066\u2067\u2068\u2069\u200e\u200f', ''),
  ...pairs('\u2022\u00b7\u25cf', '*'),
  ['\u2026', '...'],
  ['\u20ac', 'EUR'],
  ['\u00a3', 'GBP'],
  ['\u00a9', '(c)'],
  ['\u00ae', '(R)'],
  ['\u2122', '(TM)'],
  ['\u2192', '->'],
  ['\u2190', '<-'],
  ['\u26a0', '(!)'],
  ['\u00df', 'ss'],
  ['\u00c4', 'Ae'],
  ['\u00d6', 'Oe'],
  ['\u00dc', 'Ue'],
  ['\u00e4', 'ae'],
  ['\u00f6', 'oe'],
  ['\u00fc', 'ue'],
  ['\u00c6', 'AE'],
  ['\u00e6', 'ae'],
  ['\u00d8', 'O'],
  ['\u00f8', 'o'],
  ['\u0141', 'L'],
  ['\u0142', 'l'],
  ['\u0152', 'OE'],
  ['\u0153', 'oe'],
  ['\u00de', 'Th'],
  ['\u00fe', 'th'],
  ['\u0110', 'D'],
  ['\u0111', 'd'],
  ['\u0131', 'i'],
]);

function pairs(from: string, to: string): [string, string][] {
  return Array.from(from, (char): [string, string] => [char, to]);
}

/** Whether a label stands for ASCII, as none at all does (RFC 2045 5.2). */
export function isAsciiLabel(charset: string): boolean {
  return ASCII_LABELS.has(charset.trim().toLowerCase());
}

/**
 * What writes into a body of the charset; undefined where nothing safely can (EBCDIC, UTF-32). A charset that nobody
 * knows, and ISO-2022-JP outside of its escapes, take ASCII.
 * @param body decoded bytes, for the order of UTF-16
 */
export function charsetWriter(charset: string, body: Buffer): CharsetWriter | undefined {
  const label = charset.trim().toLowerCase();
  if (UTF8_LABELS.has(label)) {
    const mark = body.length >= 3 && body.readUIntBE(0, 3) === 0xefbbbf ? 3 : 0;
    return unicodeWriter((text) => Buffer.from(text, 'utf8'), 1, mark);
  }
  if (isAsciiLabel(label)) return asciiWriter();
  if (/^(utf-?16|ucs-?2)(-?le|-?be)?$/.test(label)) return utf16Writer(label, body);
  if (!iconv.encodingExists(label)) return /^(utf-?32|ucs-?4)/.test(label) ? undefined : asciiWriter();
  if (/^(unicode-1-1-)?utf-?7/.test(label)) return unicodeWriter((text) => iconv.encode(text, label), 1, 0);
  if (!iconv.encode(PROBE, label, { addBOM: false }).equals(Buffer.from(PROBE))) return undefined;
  const holds = (char: string): boolean => iconv.decode(iconv.encode(char, label), label) === char;
  return limitedWriter(holds, (text) => iconv.encode(text, label));
}

/** What ASCII can say of a text. */
export function asciiOf(text: string): string {
  return replaced(text, (char) => char <= '\u007f');
}

function asciiWriter(): CharsetWriter {
  return limitedWriter(
    (char) => char <= '\u007f',
    (text) => Buffer.from(text, 'latin1'),
  );
}

function utf16Writer(label: string, body: Buffer): CharsetWriter {
  const mark = body.length >= 2 ? body.readUInt16BE(0) : 0;
  const marked = mark === 0xfeff || mark === 0xfffe;
  const big = label.endsWith('be') || (!label.endsWith('le') && mark === 0xfeff);
  const encode = (text: string): Buffer => iconv.encode(text, big ? 'utf-16be' : 'utf-16le', { addBOM: false });
  return { ...unicodeWriter(encode, 2, marked ? 2 : 0), bigEndian: big };
}

function unicodeWriter(encode: (text: string) => Buffer, unit: 1 | 2, mark: number): CharsetWriter {
  return { unicode: true, unit, mark, text: encode, html: encode };
}

function limitedWriter(holds: (char: string) => boolean, encode: (text: string) => Buffer): CharsetWriter {
  return {
    unicode: false,
    unit: 1,
    mark: 0,
    text: (text) => encode(replaced(text, holds)),
    html: (html) =>
      encode(eachChar(html, (char) => (holds(char) ? char : `&#${(char.codePointAt(0) ?? 0xfffd).toString()};`))),
  };
}

function replaced(text: string, holds: (char: string) => boolean): string {
  return eachChar(text, (char) => {
    if (holds(char)) return char;
    const known = REPLACEMENTS.get(char);
    if (known !== undefined) return known;
    const bare = char.normalize('NFKD').replace(/\p{M}/gu, '');
    return bare !== '' && Array.from(bare).every(holds) ? bare : '?';
  });
}

function eachChar(text: string, write: (char: string) => string): string {
  if (isAscii(Buffer.from(text, 'utf8'))) return text;
  return Array.from(text, (char) => (char <= '\u007f' ? char : write(char))).join('');
}
