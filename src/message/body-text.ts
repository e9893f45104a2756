import { decodeCharset } from './decode/charset.js';
import { htmlToText } from './decode/html-text.js';
import { decodeTransfer } from './decode/transfer.js';
import { isBodyText } from './objects/attachment.js';
import type { MessageText, Structure } from './types.js';

/** Characters of body text that are read; a body beyond that is cut, in the way of every engine. */
const MAX_TEXT = 8 * 1024 * 1024;

/** Decodes the text parts of a message, those of enclosed messages too; bodies of attachments are left alone. */
export function readBodyText(bytes: Buffer, structure: Structure): MessageText {
  const texts: string[] = [];
  const html: string[] = [];
  let left = MAX_TEXT;
  for (const part of structure.parts) {
    if (!isBodyText(part) || left <= 0) continue;
    const end = Math.min(part.body.end, part.body.start + 2 * left);
    const decoded = decodeTransfer(bytes, { start: part.body.start, end }, part.encoding);
    const text = decodeCharset(decoded, part.params.get('charset') ?? '').slice(0, left);
    left -= text.length;
    if (part.type === 'text/html') {
      html.push(text);
      texts.push(htmlToText(text));
    } else {
      texts.push(text);
    }
  }
  return { text: texts.join('\n'), html };
}
