import type { Message, Part } from '../types.js';
import type { EditList } from './edit-list.js';

/** Writes the transfer encoding of a part into its header; the body has to follow. */
export function changeTransferEncoding(part: Part, message: Message, encoding: string, edits: EditList): void {
  setField(message, part, 'Content-Transfer-Encoding', encoding, edits);
}

/**
 * Makes the charset of a text part UTF-8, touching nothing else of the field.
 * @returns false where the field is written in a way that should be left alone
 */
export function upgradeCharset(message: Message, part: Part, edits: EditList): boolean {
  const fields = part.fields.filter(({ key }) => key === 'content-type');
  const [field] = fields;
  if (field === undefined) {
    setField(message, part, 'Content-Type', `${part.type}; charset=utf-8`, edits);
    return true;
  }
  if (fields.length > 1) return false;
  const value = message.bytes.toString('latin1', field.value.start, field.value.end);
  // Comments, and parameters in several pieces, are for nobody but their author to change.
  if (/[()\\]|\*/.test(value)) return false;
  const charsets = [...value.matchAll(/(;[ \t\r\n]*charset[ \t]*=[ \t]*)("[^"]*"|[^\s;"]+)/gi)];
  const [charset] = charsets;
  if (charsets.length > 1) return false;
  if (charset === undefined) {
    if (/charset/i.test(value)) return false;
    const end = field.value.start + value.replace(/[;\s]+$/, '').length;
    edits.insert(end, '; charset=utf-8');
    return true;
  }
  const [whole, before = ''] = charset;
  const start = field.value.start + charset.index;
  edits.replace({ start: start + before.length, end: start + whole.length }, 'utf-8');
  return true;
}

/** Replaces a field of the part, or adds it, with the field that says that the message is MIME at all. */
function setField(message: Message, part: Part, name: string, value: string, edits: EditList): void {
  const text = `${name}: ${value}\r\n`;
  const field = part.fields.find(({ key }) => key === name.toLowerCase());
  if (field !== undefined) {
    edits.replace(field.range, text);
    return;
  }
  addFields(message, part, text, edits);
}

/** Adds fields at the end of a part's header; of a message, with MIME-Version where it is missing. */
export function addFields(message: Message, part: Part, text: string | Uint8Array, edits: EditList): void {
  const { start, end } = part.header;
  if (end > start && message.bytes[end - 1] !== 0x0a) edits.insertOnce(`line ${part.index}`, end, '\r\n');
  if (part.parent === undefined && !part.fields.some(({ key }) => key === 'mime-version'))
    edits.insertOnce('mime-version', end, 'MIME-Version: 1.0\r\n');
  edits.insert(end, text);
}

/** The empty line between header and body, where a part has none. To be called behind all changes of its header. */
export function separate(part: Part, edits: EditList): void {
  if (part.body.start === part.header.end) edits.insertOnce(`separator ${part.index}`, part.body.start, '\r\n');
}
