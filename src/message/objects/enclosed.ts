import { decodeValue } from '../decode/header-text.js';
import type { AnomalyName } from '../anomalies.js';
import { bodyOf } from '../decode/part-body.js';
import { isEnclosedMessage, isEncoded } from '../structure.js';
import type { Part, Structure } from '../types.js';
import { nameByType } from './program-names.js';

/** A name for an attachment that has none: clients show the subject of a message, and save a program by its type. */
export function givenName(bytes: Buffer, structure: Structure, part: Part): string {
  if (!isEnclosedMessage(part.type)) return nameByType(part.type);
  const child = isEncoded(part.encoding) ? undefined : structure.parts[part.children[0] ?? -1];
  const subject = child?.fields.find(({ key }) => key === 'subject');
  const text = subject === undefined ? '' : decodeValue(bytes, subject.value).replace(/[\\/:*?"<>|]/g, '_');
  return `${text === '' ? 'message' : text.slice(0, 100)}.eml`;
}

/** A multipart that was encoded as a whole, as a message of its own. */
export function asMessage(bytes: Buffer, part: Part, content: Buffer): Buffer {
  const fields = part.fields.filter(({ key }) => key === 'content-type');
  const header = fields.map(({ range }) => bytes.subarray(range.start, range.end));
  return Buffer.concat([...header, Buffer.from('\r\n'), content]);
}

/** Parts whose headers are looked at for signs of an encoding. */
const MAX_CODED = 100;

/**
 * What stands in a part that is no attachment and shows when it is read in another way, as a message of its own: a
 * multipart in quoted-printable whose boundary stands in the raw bytes as well, but not the headers of its parts, and
 * fields where each line end was doubled.
 */
export function hiddenMessage(bytes: Buffer, structure: Structure, part: Part): Buffer | undefined {
  return codedParts(bytes, structure, part) ?? undoubled(bytes, structure, part);
}

function codedParts(bytes: Buffer, structure: Structure, part: Part): Buffer | undefined {
  if (part.encoding !== 'quoted-printable' || !part.type.startsWith('multipart/')) return undefined;
  const isCoded = part.children.slice(0, MAX_CODED).some((index) => {
    const header = structure.parts[index]?.header;
    return header !== undefined && /=3d/i.test(bytes.toString('latin1', header.start, header.end));
  });
  return isCoded ? asMessage(bytes, part, bodyOf(bytes, part)) : undefined;
}

/** Larger files are read as they are. */
const MAX_TIDIED = 32 * 1024 * 1024;
const FROM = Buffer.from('\nFrom ');
const MAX_FROM_LINE = 270;
const CR = 0x0d;
const LF = 0x0a;

const FIELD = /^(?:\r\n)?[!-9;-~]{1,60}[ \t]*:[^\r\n]*\r\n\r\n/;
const MIME_FIELD =
  /^(?:\r\n)?(?:(?:[!-9;-~]{1,60}[ \t]*:|[ \t])[^\r\n]*\r\n){0,100}?(?:mime-version|content-(?:type|transfer-encoding|disposition))[ \t]*:/i;
/** How far the fields are looked through. */
const MAX_FIELDS = 16 * 1024;

/**
 * CR CR LF is two line ends to intake and one to programs that drop every CR: what follows the first field, or the
 * delimiter of a part, is text to the one and still the header to the other. With each two line ends as one.
 */
function undoubled(bytes: Buffer, structure: Structure, part: Part): Buffer | undefined {
  const { start, end } = part.body;
  const above = part.parent === undefined ? undefined : structure.parts[part.parent];
  const isTop = above === undefined || isEnclosedMessage(above.type);
  if (!part.type.startsWith('text/') || !(isTop || part.fields.length === 0)) return undefined;
  if (!FIELD.test(bytes.toString('latin1', start, Math.min(end, start + 1024)))) return undefined;
  const head = bytes.toString('latin1', start, Math.min(end, start + MAX_FIELDS));
  if (!MIME_FIELD.test(single(head)) || end - part.header.start > MAX_TIDIED) return undefined;
  return Buffer.from(single(bytes.toString('latin1', part.header.start, end)), 'latin1');
}

function single(text: string): string {
  return text.replace(/\r\n\r\n/g, '\r\n');
}

/**
 * The messages that a file holds: the whole as one, and the later ones of a mailbox file (RFC 4155), as many as are asked
 * for. NUL and bare CR, which intake takes out of the message itself, are taken out of it as well, unless it has parts
 * that may hold them.
 */
export function messagesIn(file: Buffer): { readonly messages: Iterable<Buffer>; readonly anomalies: AnomalyName[] } {
  const anomalies: AnomalyName[] = [];
  let whole = file;
  if (file.length <= MAX_TIDIED) {
    if (file.includes(0)) anomalies.push('nul');
    if (hasBareCr(file)) anomalies.push('bare-cr');
    const text = anomalies.length === 0 ? '' : file.toString('latin1');
    if (/^content-transfer-encoding:[ \t]*binary/im.test(text)) anomalies.length = 0;
    if (anomalies.length > 0) whole = Buffer.from(text.replace(/\0/g, '').replace(/\r(?!\n)/g, '\r\n'), 'latin1');
  }
  return { messages: messagesOf(whole), anomalies };
}

function hasBareCr(bytes: Buffer): boolean {
  for (let at = bytes.indexOf(CR); at >= 0; at = bytes.indexOf(CR, at + 1)) if (bytes[at + 1] !== LF) return true;
  return false;
}

/** The messages of a mailbox file: each starts with a From line, behind the first after an empty one, and a field. */
function* messagesOf(file: Buffer): Generator<Buffer> {
  yield file;
  if (file.toString('latin1', 0, 5) !== 'From ') return;
  let start = -1;
  for (let at = file.indexOf(FROM); at >= 0; at = file.indexOf(FROM, at + 1)) {
    if (!isStart(file, at)) continue;
    if (start >= 0) yield file.subarray(start, at + 1);
    start = at + 1;
  }
  if (start >= 0) yield file.subarray(start);
}

function isStart(file: Buffer, at: number): boolean {
  const isAfterBlank = file[at - 1] === LF || (file[at - 1] === CR && file[at - 2] === LF);
  if (!isAfterBlank) return false;
  const next = file.indexOf(LF, at + FROM.length) + 1;
  return next > 0 && next - at < MAX_FROM_LINE && /^[!-9;-~]{1,80}:/.test(file.toString('latin1', next, next + 81));
}

/** Whether a part that is no attachment has these bytes. */
export function isBodyOf(bytes: Buffer, structure: Structure, content: Buffer): boolean {
  const wanted = trimmed(content);
  return structure.parts.some(
    (part) => part.body.end - part.body.start >= wanted.length && trimmed(bodyOf(bytes, part)).equals(wanted),
  );
}

/** Readers differ on whether the last line end belongs to the part. */
function trimmed(bytes: Buffer): Buffer {
  let end = bytes.length;
  while (end > 0 && (bytes[end - 1] === 0x0a || bytes[end - 1] === 0x0d)) end -= 1;
  return bytes.subarray(0, end);
}
