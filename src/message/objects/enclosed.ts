import { decodeValue } from '../decode/header-text.js';
import { bodyOf } from '../decode/part-body.js';
import { isEnclosedMessage, isEncoded } from '../structure.js';
import type { Part, Structure } from '../types.js';

/** A name for an enclosed message that has none: clients show its subject. */
export function enclosedName(bytes: Buffer, structure: Structure, part: Part): string {
  if (!isEnclosedMessage(part.type)) return '';
  const child = isEncoded(part.encoding) ? undefined : structure.parts[part.children[0] ?? -1];
  const subject = child?.fields.find(({ key }) => key === 'subject');
  const text = subject === undefined ? '' : decodeValue(bytes, subject.value).replace(/[\\/:*?"<>|]/g, '_');
  return `${text === '' ? 'message' : text.slice(0, 100)}.eml`;
}

/** A multipart that was encoded as a whole, as a message of its own. */
export function asMessage(bytes: Buffer, part: Part, content: Buffer): Buffer {
  const fields = part.fields.filter(({ key }) => key === 'content-type');
  const header = fields.map(({ range }) => bytes.subarray(range.start, range.end));
  return Buffer.concat([...header, Buffer.from('\r\n'), content]);
}

/** Whether a part that is no attachment has these bytes. */
export function isBodyOf(bytes: Buffer, structure: Structure, content: Buffer): boolean {
  const wanted = trimmed(content);
  return structure.parts.some(
    (part) => part.body.end - part.body.start >= wanted.length && trimmed(bodyOf(bytes, part)).equals(wanted),
  );
}

/** Readers differ on whether the last line end belongs to the part. */
function trimmed(bytes: Buffer): Buffer {
  let end = bytes.length;
  while (end > 0 && (bytes[end - 1] === 0x0a || bytes[end - 1] === 0x0d)) end -= 1;
  return bytes.subarray(0, end);
}
