import { decodeTransfer } from '../../message/decode/transfer.js';
import type { Message } from '../../message/types.js';

/** Decoded bytes of the leaf parts that are no attachments: the text of the mail. */
export function* textParts(message: Message): Generator<Buffer> {
  const attached = new Set<number>();
  for (const object of message.objects) if (object.depth === 0) attached.add(object.part);
  for (const part of message.structure.parts) {
    if (part.children.length === 0 && !attached.has(part.index))
      yield decodeTransfer(message.bytes, part.body, part.encoding);
  }
}
