import type { Content } from '../../message/source.js';
import { quotedPrintable } from '../../notifications/mail/quoted-printable.js';

/** Header blocks are returned up to this size, bytes. */
const MAX_HEADER = 64 * 1024;
/** Larger messages are not returned, only their header, whatever RET says. Bytes. */
export const MAX_RETURNED = 1024 * 1024;
/** RFC 5322 2.1.1: longer lines cannot be sent on as they are, and a message may not be encoded. Octets. */
const MAX_LINE = 998;

/** What a DSN brings along of the message. */
export interface Returned {
  readonly kind: 'message' | 'headers';
  /** The part with its header, without the boundary. */
  readonly part: Buffer;
  readonly eightBit: boolean;
}

/**
 * The third part of a DSN (RFC 6522 3): the header, or the message where it is asked for and can go out as it is.
 * @param whole RET=FULL
 * @param global the message is internationalized (RFC 6533 4)
 */
export async function returnedPart(content: Content, whole: boolean, global: boolean): Promise<Returned> {
  const bytes = whole && content.size <= MAX_RETURNED ? await readAll(content) : undefined;
  if (bytes !== undefined && !hasLongLine(bytes)) {
    const eightBit = bytes.some((byte) => byte > 127);
    const fields = [
      `Content-Type: ${global ? 'message/global' : 'message/rfc822'}`,
      'Content-Description: Undelivered message',
      `Content-Transfer-Encoding: ${eightBit ? '8bit' : '7bit'}`,
    ];
    return { kind: 'message', part: Buffer.concat([headOf(fields), bytes]), eightBit };
  }
  const header = bytes === undefined ? await headerOf(content) : headerIn(bytes);
  // RFC 6522 4: encoded only where it has to be.
  const plain = header.every((byte) => byte < 128) && !hasLongLine(header);
  const fields = [
    `Content-Type: ${global ? 'message/global-headers' : 'text/rfc822-headers; charset=utf-8'}`,
    'Content-Description: Header of the message',
    ...(plain ? [] : ['Content-Transfer-Encoding: quoted-printable']),
  ];
  const body = plain ? header : Buffer.from(quotedPrintable(header));
  return { kind: 'headers', part: Buffer.concat([headOf(fields), body]), eightBit: false };
}

/** The header of a message, with the end of its last line; cut at 64 KiB. */
export async function headerOf(content: Content): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of content.read()) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > MAX_HEADER) break;
  }
  return headerIn(Buffer.concat(chunks));
}

/** As headerOf, of bytes. */
export function headerIn(bytes: Buffer): Buffer {
  if (bytes.indexOf('\r\n') === 0) return Buffer.alloc(0);
  const end = bytes.indexOf('\r\n\r\n');
  if (end >= 0 && end <= MAX_HEADER) return bytes.subarray(0, end + 2);
  const cut = bytes.subarray(0, MAX_HEADER);
  const lastLine = cut.lastIndexOf('\r\n');
  return lastLine < 0 ? cut : cut.subarray(0, lastLine + 2);
}

function headOf(fields: readonly string[]): Buffer {
  return Buffer.from(`${fields.join('\r\n')}\r\n\r\n`);
}

/** The whole of a content, which the caller knows to be small. */
export async function readAll(content: Content): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of content.read()) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function hasLongLine(bytes: Buffer): boolean {
  for (let start = 0; bytes.length - start > MAX_LINE;) {
    const end = bytes.indexOf('\r\n', start);
    if ((end < 0 ? bytes.length : end) - start > MAX_LINE) return true;
    if (end < 0) return false;
    start = end + 2;
  }
  return false;
}
