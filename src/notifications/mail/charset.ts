import Encoding from 'encoding-japanese';
import iconv from 'iconv-lite';
import { charsetNamed } from '../../config/charset-names.js';
import { eachChar, transliterated } from '../../message/edit/transliterate.js';
import { strictBytes } from './strict-bytes.js';

/** Writes the texts of a mail in a charset. */
export interface MailCharset {
  /** Preferred MIME name. */
  readonly mime: string;
  /** The text as far as the charset has it: the rest is transliterated, or becomes a question mark. */
  writable(text: string): string;
  /** HTML whose other characters are numeric references. */
  writableHtml(html: string): string;
  /** Bytes of a text that is writable. Nothing that one text shifts to reaches beyond its lines. */
  bytes(text: string): Buffer;
}

/** Characters that are the same to a reader: where the charset lacks one, the other is taken. */
const TWINS: ReadonlyMap<string, string> = new Map(
  ['\u301c\uff5e', '\u2014\u2015', '\u2016\u2225', '\u2212\uff0d', '\u00a2\uffe0', '\u00a3\uffe1', '\u00ac\uffe2']
    .concat(['\u00a5\uffe5', '\u00b7\u30fb', '\u2219\u00b7', '\u2022\u00b7'])
    .flatMap(([one = '', other = '']): [string, string][] => [
      [one, other],
      [other, one],
    ]),
);
/** What ends an isolated value (UAX 9): a mark keeps what follows from left to right where a charset has no isolates. */
const POP_ISOLATE = '\u2069';
const LEFT_TO_RIGHT_MARK = '\u200e';
/** Characters whose being in a charset is remembered. */
const MAX_REMEMBERED = 20_000;

const made = new Map<string, MailCharset>();

/**
 * The writer for a charset.
 * @param name as the configuration has it
 * @throws RangeError when mail cannot be written in it
 */
export function mailCharset(name: string): MailCharset {
  const known = made.get(name);
  if (known !== undefined) return known;
  const charset = charsetNamed(name);
  if (charset === undefined) throw new RangeError(`mail cannot be written in the charset ${name.slice(0, 60)}`);
  const { mime, codec } = charset;
  const writer = mime === 'utf-8' ? utf8() : limited(mime, codec === undefined ? iso2022jp : iconvBytes(codec));
  made.set(name, writer);
  return writer;
}

function utf8(): MailCharset {
  const whole = (text: string): string => text.toWellFormed();
  return { mime: 'utf-8', writable: whole, writableHtml: whole, bytes: (text) => Buffer.from(text, 'utf8') };
}

function limited(mime: string, bytes: (text: string) => Buffer): MailCharset {
  const remembered = new Map<string, boolean>();
  const strict = strictBytes(mime);
  const holds = (char: string): boolean => {
    if (char <= '\u007f') return true;
    const before = remembered.get(char);
    if (before !== undefined) return before;
    if (remembered.size >= MAX_REMEMBERED) remembered.clear();
    const written = bytes(char);
    const held = strict(written) && read(written, mime) === char;
    remembered.set(char, held);
    return held;
  };
  const twin = (char: string): string => {
    if (holds(char)) return char;
    if (char === POP_ISOLATE && holds(LEFT_TO_RIGHT_MARK)) return LEFT_TO_RIGHT_MARK;
    const other = TWINS.get(char);
    return other !== undefined && holds(other) ? other : char;
  };
  const composed = (text: string): string =>
    eachChar(
      text.normalize('NFC').replace(/[\uff61-\uff9f]+/g, (run) => (holds('\uff71') ? run : fullWidth(run))),
      twin,
    );
  return {
    mime,
    writable: (text) => transliterated(composed(text), holds),
    writableHtml: (html) =>
      eachChar(composed(html), (char) => (holds(char) ? char : `&#${(char.codePointAt(0) ?? 0xfffd).toString()};`)),
    bytes,
  };
}

/** Half-width katakana as full-width ones, their marks with them. */
function fullWidth(run: string): string {
  return run.normalize('NFKC');
}

function iconvBytes(codec: string): (text: string) => Buffer {
  return (text) => iconv.encode(text, codec, { addBOM: false });
}

/** RFC 1468: each line begins and ends in ASCII. */
function iso2022jp(text: string): Buffer {
  const units = Array.from({ length: text.length }, (_, index) => text.charCodeAt(index));
  return Buffer.from(Encoding.convert(units, { to: 'JIS', from: 'UNICODE', type: 'array' }));
}

function read(bytes: Buffer, mime: string): string {
  if (mime !== 'iso-2022-jp') return iconv.decode(bytes, mime);
  return Encoding.convert(Array.from(bytes), { to: 'UNICODE', from: 'JIS', type: 'string' });
}
