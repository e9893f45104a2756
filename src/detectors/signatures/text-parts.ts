import type { Message, Part } from '../../message/types.js';

/** Decoded bytes of the leaf parts that are no attachments: the text of the mail. */
export function* textParts(message: Message): Generator<Buffer> {
  const attached = new Set<number>();
  for (const object of message.objects) if (object.depth === 0) attached.add(object.part);
  for (const part of message.structure.parts) {
    if (part.children.length === 0 && !attached.has(part.index)) yield decode(message.bytes, part);
  }
}

function decode(bytes: Buffer, part: Part): Buffer {
  const body = bytes.subarray(part.body.start, part.body.end);
  if (part.encoding === 'base64') return Buffer.from(body.toString('latin1'), 'base64');
  return part.encoding === 'quoted-printable' ? decodeQuotedPrintable(body) : body;
}

/** RFC 2045 6.7; what is no valid escape stays as it is. */
function decodeQuotedPrintable(body: Buffer): Buffer {
  if (!body.includes(0x3d)) return body;
  const text = body
    .toString('latin1')
    .replace(/[ \t]*=[ \t]*\r?\n/g, '')
    .replace(/=([0-9A-Fa-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
  return Buffer.from(text, 'latin1');
}
