import { bodyOf } from '../decode/part-body.js';
import { decodeTransfer } from '../decode/transfer.js';
import { isEnclosedMessage, isEncoded } from '../structure.js';
import { isKnownEncoding } from '../structure/transfer-encodings.js';
import type { Part } from '../types.js';
import { byMagic } from './magic.js';
import { nameByType } from './program-names.js';

const SAMPLE = 4096;
const MAX_WHOLE = 256 * 1024;

/** Media types under which clients show a text, or take it for a form of one that they show: none of them is a file. */
const SHOWN: ReadonlySet<string> = new Set([
  'text/plain',
  'text/html',
  'text/enriched',
  'text/richtext',
  'text/markdown',
  'text/x-markdown',
  'text/watch-html',
  'text/x-watch-html',
  'text/x-amp-html',
  'text/calendar',
  'text/rfc822-headers',
]);
/** Documents that are ASCII from their first byte on, and nothing that anybody starts a text with. */
const ASCII_DOCUMENT = /^(?:\{\\rt|%PDF-|%!PS)/;

/**
 * Whether the part is an attachment rather than the text of the message alone: it has a file name, says that it is one,
 * is no text, or none that clients show as a text, or can be read in another way than as text.
 */
export function isAttachment(bytes: Buffer, part: Part): boolean {
  if (isEnclosedMessage(part.type)) return true;
  if (part.type.startsWith('multipart/')) return part.children.length === 0 && !isBlank(bytes, part);
  if (part.filename !== undefined || part.disposition === 'attachment') return true;
  if (!part.type.startsWith('text/')) return true;
  if (repeats(part, 'content-type') || repeats(part, 'content-transfer-encoding')) return true;
  if (nameByType(part.type) !== '') return true;
  // What the message consists of is its text, whatever it calls itself.
  if (part.parent !== undefined && !SHOWN.has(part.type)) return true;
  return hidesBinary(bytes, part);
}

/** Whether the part's text belongs to what a reader sees of the message. */
export function isBodyText(part: Part): boolean {
  return part.type.startsWith('text/') && part.disposition !== 'attachment';
}

/**
 * The transfer encodings under which readers may see the body, the declared one first. More than one where the field
 * is repeated or malformed, or where the body seems to be in another one.
 */
export function encodingsOf(bytes: Buffer, part: Part): readonly string[] {
  const encodings = [part.encoding, ...(part.otherEncodings ?? [])];
  if (encodings.length > 1 || isEncoded(part.encoding)) return encodings;
  if (looksLikeBase64(bytes, part)) return [part.encoding, 'base64'];
  return !isKnownEncoding(part.encoding) && looksQuoted(bytes, part) ? [part.encoding, 'quoted-printable'] : encodings;
}

/** The first lines are base64 and nothing else. A text of one such word is none. */
function looksLikeBase64(bytes: Buffer, part: Part): boolean {
  const { start, end } = part.body;
  const head = bytes.toString('latin1', start, Math.min(end, start + 512)).trim();
  return /^[A-Za-z0-9+/=\r\n]{16,}$/.test(head) && /[A-Z]/.test(head) && /[a-z]/.test(head) && /[0-9+/=]/.test(head);
}

function looksQuoted(bytes: Buffer, part: Part): boolean {
  const { start, end } = part.body;
  const head = bytes.toString('latin1', start, Math.min(end, start + 2048));
  return /=[0-9A-Fa-f]{2}|=\r?\n/.test(head);
}

function repeats(part: Part, key: string): boolean {
  let count = 0;
  for (const field of part.fields) if (field.key === key) count += 1;
  return count > 1;
}

/** Something that calls itself text, is shown without a name, and starts like a program or an archive. */
function hidesBinary(bytes: Buffer, part: Part): boolean {
  const { start, end } = part.body;
  // Other marks of formats in ASCII are words with which a text may start.
  if (part.encoding === '7bit') return ASCII_DOCUMENT.test(bytes.toString('latin1', start, Math.min(end, start + 5)));
  // A body of usual size is needed whole soon after, and kept.
  const sample =
    end - start > MAX_WHOLE
      ? decodeTransfer(bytes, { start, end: start + SAMPLE }, part.encoding)
      : bodyOf(bytes, part).subarray(0, SAMPLE);
  const kind = byMagic(sample);
  return kind !== undefined && kind.type !== 'text' && kind.type !== 'other';
}

function isBlank(bytes: Buffer, part: Part): boolean {
  const { start, end } = part.body;
  return end - start < 8 && bytes.toString('latin1', start, end).trim() === '';
}
