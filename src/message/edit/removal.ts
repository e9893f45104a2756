import { isEnclosedMessage } from '../structure.js';
import { isAttachment, isBodyText } from '../objects/attachment.js';
import { printable } from '../objects/names.js';
import type { Message, Part } from '../types.js';
import { separate } from './content-fields.js';
import { quotedPrintable } from './encode.js';
import type { EditList } from './edit-list.js';

/** An attachment to take out. */
export interface Removal {
  readonly part: number;
  readonly objects: readonly string[];
  readonly reason: string;
}

/** Objects named in the text that is left. */
const MAX_NAMED = 20;

/** Texts, with CRLF line ends, for before and behind the notice. */
export interface TextAround {
  readonly before: readonly string[];
  readonly after: readonly string[];
}

const NOTHING_AROUND: TextAround = { before: [], after: [] };

/** What is removed at one part, after removals of the same part and of parts inside it were joined. */
interface Target {
  readonly part: Part;
  readonly objects: Set<string>;
  readonly reasons: Set<string>;
}

/**
 * Replaces attachments by a text part that says what was removed and why (RULES.md, delete-attachment).
 * @param around texts for the message as a whole, where its whole body is replaced
 * @returns notes for the trace
 */
export function removeParts(
  message: Message,
  removals: readonly Removal[],
  edits: EditList,
  around: TextAround = { before: [], after: [] },
): readonly string[] {
  const notes: string[] = [];
  const targets = joinTargets(message, removals, notes);
  for (const target of targets) {
    const { part } = target;
    if (isMessageRoot(message, part)) replaceBody(message, target, edits, part.index === 0 ? around : NOTHING_AROUND);
    else edits.replace(part.range, replacement(message, target));
    notes.push(`removed ${[...target.objects].map(printable).join(', ') || `part ${part.index + 1}`}`);
    if (isSigned(message, part)) notes.push('the signature of the message is gone with the attachment');
  }
  return notes;
}

/** Parts that are taken out, or lie in one that is. */
export function removedParts(message: Message, removals: readonly Removal[]): ReadonlySet<number> {
  const gone = new Set<number>();
  for (const { part } of removals) {
    const replaced = partToReplace(message, part);
    if (replaced !== undefined) gone.add(replaced.index);
  }
  for (const { index, parent } of message.structure.parts)
    if (parent !== undefined && gone.has(parent)) gone.add(index);
  return gone;
}

/** Whether the root, and with it the whole body, is replaced. */
export function replacesRoot(message: Message, removals: readonly Removal[]): boolean {
  return removals.some(({ part }) => partToReplace(message, part)?.index === 0);
}

function joinTargets(message: Message, removals: readonly Removal[], notes: string[]): readonly Target[] {
  const targets = new Map<number, Target>();
  for (const { part: index, objects, reason } of removals) {
    const part = partToReplace(message, index);
    if (part === undefined) {
      notes.push(`part ${index + 1} could not be removed: there is none`);
      continue;
    }
    const target = targets.get(part.index) ?? { part, objects: new Set(), reasons: new Set() };
    for (const object of objects) target.objects.add(object);
    target.reasons.add(reason);
    targets.set(part.index, target);
  }
  for (const [index, target] of targets) {
    const outer = ancestors(message, target.part).find((one) => targets.has(one.index));
    const swallowing = outer === undefined ? undefined : targets.get(outer.index);
    if (swallowing === undefined) continue;
    for (const object of target.objects) swallowing.objects.add(object);
    for (const reason of target.reasons) swallowing.reasons.add(reason);
    targets.delete(index);
  }
  return [...targets.values()];
}

/** A part of a second reading may overlap others: what is replaced is the part that can be read in two ways. */
function partToReplace(message: Message, index: number): Part | undefined {
  let part = message.structure.parts[index];
  while (part?.alternative === true && part.parent !== undefined) part = message.structure.parts[part.parent];
  return part;
}

function ancestors(message: Message, part: Part): readonly Part[] {
  const list: Part[] = [];
  let above = part.parent;
  while (above !== undefined) {
    const one = message.structure.parts[above];
    if (one === undefined) break;
    list.unshift(one);
    above = one.parent;
  }
  return list;
}

/** The part is a message (the one that is scanned, or an enclosed one): its other header fields stay. */
function isMessageRoot(message: Message, part: Part): boolean {
  if (part.parent === undefined) return true;
  const parent = message.structure.parts[part.parent];
  return parent !== undefined && isEnclosedMessage(parent.type);
}

function isSigned(message: Message, part: Part): boolean {
  return [...ancestors(message, part), part].some(
    ({ type }) =>
      type === 'multipart/signed' || type === 'application/pkcs7-mime' || type === 'application/x-pkcs7-mime',
  );
}

function replaceBody(message: Message, target: Target, edits: EditList, around: TextAround): void {
  const { part } = target;
  const { fields, body } = textEntity(
    [...around.before, noticeText(message, target), ...around.after].join('\r\n\r\n'),
  );
  const content = part.fields.filter(({ key }) => key.startsWith('content-') || key === 'mime-version');
  for (const field of content) edits.replace(field.range, '');
  const { start, end } = part.header;
  if (end > start && message.bytes[end - 1] !== 0x0a) edits.insertOnce(`line ${part.index}`, end, '\r\n');
  edits.insert(end, `MIME-Version: 1.0\r\n${fields}`);
  separate(part, edits);
  edits.replace(part.body, `${body}${endOfPart(message, part)}`);
}

function replacement(message: Message, target: Target): string {
  const { fields, body } = textEntity(noticeText(message, target));
  return `${fields}\r\n${body}${endOfPart(message, target.part)}`;
}

/** The last line of a part ends with the CRLF of the delimiter behind it, unless the message ends there. */
function endOfPart(message: Message, part: Part): string {
  return part.range.end === message.bytes.length ? '\r\n' : '';
}

/** Header fields and body of a text part of our own. @param text with CRLF line ends */
export function textEntity(text: string): { readonly fields: string; readonly body: string } {
  const plain = /^[\x20-\x7e\r\n]*$/.test(text) && text.split('\r\n').every((line) => line.length <= 76);
  const encoding = plain ? '7bit' : 'quoted-printable';
  return {
    fields:
      'Content-Type: text/plain; charset=utf-8\r\n' +
      `Content-Transfer-Encoding: ${encoding}\r\n` +
      'Content-Disposition: inline\r\n',
    body: plain ? text : quotedPrintable(text),
  };
}

function noticeText(message: Message, { part, objects, reasons }: Target): string {
  const named = [...objects].slice(0, MAX_NAMED).map((path) => `  ${printable(path)}`);
  if (objects.size > MAX_NAMED) named.push(`  and ${objects.size - MAX_NAMED} more`);
  // A file in uuencode, say, goes with the text in which it stands.
  const isText = isBodyText(part) && !isAttachment(message.bytes, part);
  const outermost = message.objects.find((object) => object.part === part.index && object.depth === 0);
  const name = part.filename ?? outermost?.path ?? [...objects][0] ?? 'unnamed';
  const lines = [
    isText
      ? 'A text of this message was removed, as a file stands in it.'
      : 'An attachment was removed from this message.',
    '',
    `${isText ? 'File' : 'Attachment'}: ${printable(name)}`,
    ...(named.length > 0 ? ['Found in it:', ...named] : []),
    `Reason: ${printable([...reasons].filter((reason) => reason !== '').join('; ') || 'a rule of the mail system')}`,
  ];
  return lines.join('\r\n');
}
