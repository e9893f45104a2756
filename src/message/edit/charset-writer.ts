import iconv from 'iconv-lite';
import { eachChar, transliterated } from './transliterate.js';

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
    text: (text) => encode(transliterated(text, holds)),
    html: (html) =>
      encode(eachChar(html, (char) => (holds(char) ? char : `&#${(char.codePointAt(0) ?? 0xfffd).toString()};`))),
  };
}
