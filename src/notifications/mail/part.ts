import type { MailCharset } from './charset.js';
import { quotedPrintable } from './quoted-printable.js';

/** RFC 5322 2.1.1, octets. */
export const MAX_LINE = 998;
const BASE64_LINE = 76;
const META_CHARSET = /(<meta\b[^<>]{0,200}?\bcharset\s{0,9}=\s{0,9}["']?)[\w:.+-]+/i;

/** How what is not ASCII goes out: quoted-printable, as it is (8BITMIME), or base64. */
export type Form = 'quoted-printable' | '8bit' | 'base64';

/** A part of a mail: its fields without those of the encoding, and its bytes before encoding. */
export interface Part {
  /** Complete field lines with CRLF. */
  readonly fields: string;
  readonly bytes: Buffer;
}

/** A text with CRLF line ends, without control characters, in the charset. */
export function textPart(type: 'text/plain' | 'text/html', text: string, charset: MailCharset): Part {
  const clean = text
    .replace(/\r\n?|[\n\u0085\u2028\u2029]/g, '\n')
    .replace(/[\0-\x08\x0b-\x1f\x7f-\x9f]/g, '')
    .toWellFormed();
  const lines = (clean.endsWith('\n') ? clean : `${clean}\n`).replaceAll('\n', '\r\n');
  const writable = type === 'text/html' ? charset.writableHtml(withMeta(lines, charset.mime)) : charset.writable(lines);
  return { fields: `Content-Type: ${type}; charset=${charset.mime}\r\n`, bytes: charset.bytes(writable) };
}

/** The document names its charset as the part does: a reader may keep the one without the other. */
function withMeta(html: string, mime: string): string {
  if (!META_CHARSET.test(html)) return html.replace(/<head(?:\s[^>]*)?>/i, `$&\r\n<meta charset="${mime}">`);
  return html.replace(new RegExp(META_CHARSET, 'gi'), `$1${mime}`);
}

/** The part as it stands in a mail, without the line end that belongs to the boundary. */
export function encodedPart(
  { fields, bytes }: Part,
  form: Form,
): { readonly bytes: Buffer; readonly eightBit: boolean } {
  const encoding = encodingOf(bytes, form);
  const head = `${fields}Content-Transfer-Encoding: ${encoding}\r\n\r\n`;
  if (encoding === 'quoted-printable') return { bytes: Buffer.from(head + quotedPrintable(bytes)), eightBit: false };
  if (encoding === 'base64') return { bytes: Buffer.from(head + base64Lines(bytes)), eightBit: false };
  return { bytes: Buffer.concat([Buffer.from(head), bytes]), eightBit: encoding === '8bit' };
}

function encodingOf(bytes: Buffer, form: Form): Form | '7bit' {
  if (form === 'quoted-printable') return form;
  if (!isSendable(bytes)) return 'base64';
  return bytes.every((byte) => byte < 128) ? '7bit' : form;
}

/** Whether bytes can go over SMTP as they are: lines of at most 998 octets, no bare CR, LF or NUL (RFC 2045 2.8). */
function isSendable(bytes: Buffer): boolean {
  return bytes
    .toString('latin1')
    .split('\r\n')
    .every((line) => line.length <= MAX_LINE && !/[\r\n\0]/.test(line));
}

export function base64Lines(bytes: Buffer): string {
  return (bytes.toString('base64').match(new RegExp(`.{1,${BASE64_LINE.toString()}}`, 'g')) ?? []).join('\r\n');
}
