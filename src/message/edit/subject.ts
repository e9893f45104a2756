import { decodeValue } from '../decode/header-text.js';
import type { HeaderField, Message } from '../types.js';
import { encodedWords, fold, headerField, isPlain, oneLine, SOFT_LINE } from './encode.js';
import type { EditList } from './edit-list.js';

const SPACE = 0x20;
const TAB = 0x09;
const CR = 0x0d;
const LF = 0x0a;

/** The tags that a subject does not have yet, in order, each once. */
export function missingTags(subject: string, tags: readonly string[]): readonly string[] {
  const missing: string[] = [];
  const shown = withPlainSpaces(subject);
  for (const tag of tags.map(oneLine)) {
    if (tag === '' || shown.includes(withPlainSpaces(tag)) || missing.some((one) => one.includes(tag))) continue;
    missing.push(tag);
  }
  return missing;
}

/** Where a subject is folded, any white space may stand for the space of a tag. */
function withPlainSpaces(text: string): string {
  return text.replace(/[ \t]+/g, ' ');
}

/**
 * Puts tags before the subject of every Subject field, leaving the bytes of the subject itself alone.
 * @returns the tags that were put, in order
 */
export function tagFields(
  message: Message,
  fields: readonly HeaderField[],
  tags: readonly string[],
  edits: EditList,
): readonly string[] {
  const put = new Set<string>();
  for (const field of fields) {
    const missing = missingTags(decodeValue(message.bytes, field.value), tags);
    if (missing.length === 0) continue;
    for (const tag of missing) put.add(tag);
    edits.replace(
      { start: field.value.start, end: field.value.start },
      insertion(message.bytes, field, missing.join(' ')),
    );
  }
  return tags.map(oneLine).filter((tag) => put.delete(tag));
}

/** A whole Subject field with tags before a text. */
export function taggedSubject(subject: string, tags: readonly string[]): string {
  return headerField('Subject', [...missingTags(subject, tags), subject].join(' ').trim());
}

/** What goes in behind the colon. */
function insertion(bytes: Buffer, field: HeaderField, tag: string): string {
  const { start, end } = field.value;
  let text = start;
  while (text < end && isSpace(bytes[text])) text += 1;
  const empty = text === end;
  // The white space between two encoded words is dropped by readers, so the space must be inside the tag's own word.
  const beforeWord = bytes.toString('latin1', text, text + 2) === '=?';
  const words = isPlain(tag) ? tag.split(' ') : encodedWords(beforeWord ? `${tag} ` : tag, start - field.range.start);
  const head = fold(bytes.toString('latin1', field.range.start, start), words).slice(start - field.range.start);
  if (empty) return head;
  const spaced = isSpace(bytes[start]);
  const feed = bytes.indexOf(LF, start);
  const firstLine = (feed < 0 || feed > end ? end : feed) - start + (spaced ? 0 : 1);
  const lastLine = start - field.range.start + head.length - (head.lastIndexOf('\n') + 1);
  const folds = lastLine + firstLine > SOFT_LINE && bytes[start] !== CR && bytes[start] !== LF;
  return head + (folds ? '\r\n' : '') + (spaced ? '' : ' ');
}

function isSpace(byte: number | undefined): boolean {
  return byte === SPACE || byte === TAB || byte === CR || byte === LF;
}
