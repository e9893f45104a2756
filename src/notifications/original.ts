import { decodeUnlabelled } from '../message/decode/charset.js';
import type { Content } from '../message/source.js';

/** A header block is not larger in any mail that a person sent; what is longer is cut at a line. Bytes. */
const MAX_HEADER = 64 * 1024;

/** The header fields of a message, for `attach: headers`, with their final CRLF. */
export async function headerOf(content: Content): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of content.read()) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= MAX_HEADER) break;
  }
  const bytes = Buffer.concat(chunks).subarray(0, MAX_HEADER);
  const end = bytes.indexOf('\r\n\r\n');
  if (end >= 0) return readable(bytes.subarray(0, end + 2));
  return readable(bytes.subarray(0, bytes.lastIndexOf('\r\n') + 2));
}

/** Bytes beyond ASCII are UTF-8 or, where they are not, shown as windows-1252; control characters as question marks. */
function readable(bytes: Buffer): string {
  return decodeUnlabelled(bytes).replace(/(?![\r\n\t])\p{Cc}/gu, '?');
}
