import { createHash } from 'node:crypto';
import type { Message, Part } from '../types.js';
import { addFields, separate } from './content-fields.js';
import type { EditList } from './edit-list.js';
import { textEntity } from './removal.js';

/** Texts, with CRLF line ends, for parts of their own; empty for none. */
export interface OwnTexts {
  readonly start: string;
  readonly end: string;
}

/**
 * Gives a message parts of its own for texts that fit into none of its parts: beside the parts of a multipart/mixed,
 * and in one around everything else. What is there stays byte for byte.
 */
export function addOwnParts(message: Message, texts: OwnTexts, edits: EditList): void {
  const boundary = mixedBoundary(message);
  const children = message.structure.root.children;
  const first = message.structure.parts[children[0] ?? -1];
  const last = message.structure.parts[children.at(-1) ?? -1];
  if (boundary === undefined || first === undefined || last === undefined) {
    wrap(message, texts, edits);
    return;
  }
  if (texts.start !== '') edits.insert(first.range.start, `${entity(texts.start)}\r\n--${boundary}\r\n`);
  if (texts.end !== '') edits.insert(last.range.end, `\r\n--${boundary}\r\n${entity(texts.end)}`);
}

/** The boundary of a message that is a plain multipart/mixed which all read in the same way. */
function mixedBoundary({ bytes, structure }: Message): string | undefined {
  const { root, parts } = structure;
  const boundary = root.params.get('boundary');
  const first = parts[root.children[0] ?? -1];
  if (root.type !== 'multipart/mixed' || root.otherTypes !== undefined || boundary === undefined) return undefined;
  if (first === undefined || root.children.some((index) => parts[index]?.alternative === true)) return undefined;
  if (root.encoding === 'base64' || root.encoding === 'quoted-printable') return undefined;
  const before = bytes.toString(
    'latin1',
    Math.max(root.body.start, first.range.start - boundary.length - 4),
    first.range.start,
  );
  return before.endsWith(`--${boundary}\r\n`) ? boundary : undefined;
}

function wrap(message: Message, texts: OwnTexts, edits: EditList): void {
  const { root } = message.structure;
  const boundary = newBoundary(message.bytes);
  const content = root.fields.filter(({ key }) => key.startsWith('content-'));
  for (const field of content) edits.replace(field.range, '');
  const wide = root.encoding === '8bit' || root.encoding === 'binary';
  addFields(
    message,
    root,
    `Content-Type: multipart/mixed; boundary="${boundary}"\r\n` +
      (wide ? `Content-Transfer-Encoding: ${root.encoding}\r\n` : ''),
    edits,
  );
  separate(root, edits);
  const delimiter = `--${boundary}\r\n`;
  const start = texts.start === '' ? '' : `${delimiter}${entity(texts.start)}\r\n`;
  edits.insert(
    root.body.start,
    Buffer.concat([
      Buffer.from(start + delimiter),
      ...content.map((field) => fieldBytes(message, field)),
      Buffer.from('\r\n'),
    ]),
  );
  const end = texts.end === '' ? '' : `\r\n${delimiter}${entity(texts.end)}`;
  edits.insert(root.body.end, `${end}\r\n--${boundary}--\r\n`);
}

function fieldBytes({ bytes }: Message, { range }: Part['fields'][number]): Buffer {
  const field = bytes.subarray(range.start, range.end);
  return field.at(-1) === 0x0a ? field : Buffer.concat([field, Buffer.from('\r\n')]);
}

function entity(text: string): string {
  const { fields, body } = textEntity(text);
  return `${fields}\r\n${body}`;
}

/** Made of the message, so that equal messages are changed equally, and found nowhere in it. */
function newBoundary(bytes: Buffer): string {
  for (let n = 0; ; n += 1) {
    const boundary = `=_gatepost_${createHash('sha256').update(`${n} `).update(bytes).digest('hex').slice(0, 32)}`;
    if (!bytes.includes(boundary)) return boundary;
  }
}
