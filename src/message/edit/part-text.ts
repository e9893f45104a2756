import { isAscii, isUtf8 } from 'node:buffer';
import { bodyOf } from '../decode/part-body.js';
import type { Message, Part } from '../types.js';
import { charsetWriter, type CharsetWriter, isAsciiLabel } from './charset-writer.js';
import type { EditList } from './edit-list.js';
import { changeTransferEncoding, separate, upgradeCharset } from './content-fields.js';
import { htmlPlaces } from './html-place.js';
import { lineFormat, plainLines, htmlLines } from './plain-lines.js';
import { encodeBase64, encodeQuotedPrintable } from './transfer-encode.js';

/** A text to be put into a part, in both of its forms. */
export interface BannerText {
  /** With LF or CRLF line ends. */
  readonly text: string;
  /** A piece of HTML that stands for itself. */
  readonly html: string;
}

/** What is put at the start and at the end of one part. */
export interface PartTexts {
  readonly start: readonly BannerText[];
  readonly end: readonly BannerText[];
}

/** New bytes and where they go, in the decoded body. */
interface Insertions {
  readonly startAt: number;
  readonly start: Buffer;
  readonly endAt: number;
  readonly end: Buffer;
}

/**
 * Puts texts into a text or HTML part, which keeps its charset and its transfer encoding. Only a 7-bit part that must
 * take other characters becomes quoted-printable, and if it was US-ASCII, UTF-8.
 * @returns false, with nothing changed, where its charset is none that can be written
 */
export function writeIntoPart(message: Message, part: Part, texts: PartTexts, edits: EditList): boolean {
  const { bytes } = message;
  const body = bodyOf(bytes, part);
  const label = part.params.get('charset') ?? '';
  const declared = charsetWriter(label, body);
  if (declared === undefined) return false;
  const writer = mustUpgrade(message, part, label, body, texts, edits) ? charsetWriter('utf-8', body) : declared;
  if (writer === undefined) return false;
  const insertions = part.type === 'text/html' ? intoHtml(body, writer, texts) : intoPlain(part, body, writer, texts);
  place(message, part, body, insertions, edits);
  return true;
}

/** Whether US-ASCII that has to take more was made UTF-8, of which it is a part. HTML has references and needs none of that. */
function mustUpgrade(
  message: Message,
  part: Part,
  label: string,
  body: Buffer,
  texts: PartTexts,
  edits: EditList,
): boolean {
  if (part.type !== 'text/plain' || !isAsciiLabel(label) || !isUtf8(body)) return false;
  const all = [...texts.start, ...texts.end].map(({ text }) => text).join('');
  return !isAscii(Buffer.from(all, 'utf8')) && upgradeCharset(message, part, edits);
}

function intoPlain(part: Part, body: Buffer, writer: CharsetWriter, texts: PartTexts): Insertions {
  const format = lineFormat(part.params);
  const lines = (list: readonly BannerText[]): string =>
    list.map(({ text }) => plainLines(text, format)).join('\r\n\r\n');
  const write = (text: string): Buffer => (text === '' ? Buffer.alloc(0) : writer.text(text));
  const open = body.length === writer.mark || endsLine(body, writer.unit) ? '' : '\r\n';
  return {
    startAt: writer.mark,
    start: write(texts.start.length === 0 ? '' : `${lines(texts.start)}\r\n\r\n`),
    endAt: body.length,
    end: write(texts.end.length === 0 ? '' : `${open}\r\n${lines(texts.end)}\r\n`),
  };
}

function intoHtml(body: Buffer, writer: CharsetWriter, texts: PartTexts): Insertions {
  const seen =
    writer.unit === 2
      ? utf16View(body.subarray(writer.mark), writer.bigEndian === true)
      : asciiView(body.subarray(writer.mark));
  const { start, end } = htmlPlaces(seen);
  const write = (list: readonly BannerText[]): Buffer =>
    list.length === 0
      ? Buffer.alloc(0)
      : writer.html(`\r\n${list.map(({ html }) => htmlLines(html)).join('\r\n')}\r\n`);
  return {
    startAt: writer.mark + start * writer.unit,
    start: write(texts.start),
    endAt: writer.mark + end * writer.unit,
    end: write(texts.end),
  };
}

/** One character for each byte. What stands between the escapes of ISO-2022 only looks like tags. */
function asciiView(body: Buffer): string {
  const text = body.toString('latin1');
  if (!text.includes('\u001b$')) return text;
  return text.replace(/\u001b\$[^\u001b]*/g, (run) => 'x'.repeat(run.length));
}

function utf16View(body: Buffer, bigEndian: boolean): string {
  const even = body.subarray(0, body.length & ~1);
  return (bigEndian ? Buffer.from(even).swap16() : even).toString('utf16le');
}

function endsLine(body: Buffer, unit: number): boolean {
  return body.subarray(-2 * unit).includes(0x0a);
}

/** Puts the new bytes into the body in its transfer encoding. */
function place(message: Message, part: Part, body: Buffer, insertions: Insertions, edits: EditList): void {
  const { startAt, start, endAt, end } = insertions;
  const whole = (): Buffer =>
    Buffer.concat([body.subarray(0, startAt), start, body.subarray(startAt, endAt), end, body.subarray(endAt)]);
  const ends = part.range.end === message.bytes.length ? Buffer.from('\r\n') : Buffer.alloc(0);
  const coded = part.encoding === 'base64' || part.encoding === 'quoted-printable';
  const kept = coded || fitsAsItIs(message, part, body, start, end);
  if (!kept) changeTransferEncoding(part, message, 'quoted-printable', edits);
  separate(part, edits);
  if (part.encoding === 'base64') edits.replace(part.body, Buffer.concat([encodeBase64(whole()), ends]));
  else if (coded || !kept) edits.replace(part.body, quoted(whole(), ends));
  else {
    edits.insert(part.body.start + startAt, start);
    edits.insert(part.body.start + endAt, end);
  }
}

function quoted(body: Buffer, ends: Buffer): Buffer {
  const encoded = encodeQuotedPrintable(body);
  return encoded.subarray(-2).equals(Buffer.from('\r\n')) ? encoded : Buffer.concat([encoded, ends]);
}

/** Bytes over 127 go only where there are such already: nothing further is asked of the next hop. */
function fitsAsItIs(message: Message, part: Part, body: Buffer, start: Buffer, end: Buffer): boolean {
  if (isAscii(start) && isAscii(end)) return true;
  if (!isAscii(body)) return true;
  return part.encoding !== '7bit' && !isAscii(message.bytes);
}
