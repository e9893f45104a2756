import { bodyOf } from '../../message/decode/part-body.js';
import type { Message } from '../../message/types.js';

/** Decoded bytes of the leaf parts that are no attachments: the text of the mail, and of the messages in it. */
export function* textParts(message: Message): Generator<Buffer> {
  const attached = new Set<number>();
  for (const object of message.objects) if (object.depth === 0) attached.add(object.part);
  for (const part of message.structure.parts) {
    // Parts of another reading do not make it less of a text.
    const isLeaf = part.children.every((child) => message.structure.parts[child]?.alternative === true);
    if (isLeaf && !attached.has(part.index)) yield bodyOf(message.bytes, part);
  }
  for (const { content } of message.enclosedBodies) yield content;
}
