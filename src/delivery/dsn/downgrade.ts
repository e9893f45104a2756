import type { Content } from '../../message/source.js';
import { base64Lines } from '../../notifications/mail/part.js';
import { quotedPrintable } from '../../notifications/mail/quoted-printable.js';
import { headerIn } from './original.js';

/**
 * A DSN of ours for a server without 8BITMIME: texts go in base64, and of a message that has 8-bit content the header
 * alone is brought along, as an enclosed message may not be encoded (RFC 2046 5.2.1, RFC 6522 4).
 * @param dsn as composeDsn wrote it
 */
export function sevenBitContent(dsn: Buffer): Content {
  const bytes = entity(dsn, 0);
  return { size: bytes.length, read: () => [bytes] };
}

/** Deeper ones are not ours. */
const MAX_DEPTH = 3;
const EIGHT_BIT = /^Content-Transfer-Encoding: 8bit\r\n/im;

function entity(bytes: Buffer, depth: number): Buffer {
  const end = bytes.indexOf('\r\n\r\n') + 2;
  const header = bytes.toString('utf8', 0, end);
  if (end < 2 || depth > MAX_DEPTH || !EIGHT_BIT.test(header)) return bytes;
  const body = bytes.subarray(end + 2);
  const boundary = /^Content-Type: multipart\/[\w-]+;[^"]{0,100}boundary="([^"]+)"/im.exec(header)?.[1];
  if (boundary !== undefined) return joined(header.replace(EIGHT_BIT, ''), parts(body, boundary, depth));
  const type = /^Content-Type: message\/(rfc822|global)\r\n/im.exec(header)?.[1];
  if (type === undefined) return joined(encodedAs(header, 'base64'), Buffer.from(base64Lines(body)));
  const headersType = type === 'global' ? 'message/global-headers' : 'text/rfc822-headers; charset=utf-8';
  const fields = encodedAs(header, 'quoted-printable')
    .replace(/^Content-Type: [^\r]*/im, `Content-Type: ${headersType}`)
    .replace('Undelivered message', 'Header of the message');
  return joined(fields, Buffer.from(quotedPrintable(headerIn(body))));
}

function parts(body: Buffer, boundary: string, depth: number): Buffer {
  const delimiter = Buffer.from(`--${boundary}`);
  const pieces: Buffer[] = [];
  let at = body.indexOf(delimiter);
  pieces.push(body.subarray(0, at));
  while (at >= 0) {
    const start = at + delimiter.length;
    const next = body.indexOf(Buffer.from(`\r\n--${boundary}`), start);
    pieces.push(delimiter);
    if (next < 0) {
      pieces.push(body.subarray(start));
      break;
    }
    const crlf = Buffer.from('\r\n');
    pieces.push(crlf, entity(body.subarray(start + 2, next), depth + 1), crlf);
    at = next + 2;
  }
  return Buffer.concat(pieces);
}

function encodedAs(header: string, encoding: string): string {
  return header.replace(EIGHT_BIT, `Content-Transfer-Encoding: ${encoding}\r\n`);
}

function joined(header: string, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${header}\r\n`), body]);
}
