import { decodeCharset } from './decode/charset.js';
import { readHtml, type HtmlReading } from './decode/html-read.js';
import { renderText } from './decode/html-text.js';
import { bodyOf } from './decode/part-body.js';
import { decodeTransfer } from './decode/transfer.js';
import { isBodyText } from './objects/attachment.js';
import type { EnclosedBody, MessageText, Part, Structure } from './types.js';

/** Characters of body text that are read; a body beyond that is cut, in the way of every engine. */
const MAX_TEXT = 8 * 1024 * 1024;

/** A text part, decoded. */
export class BodyPart {
  /** Index in `Structure.parts`. */
  readonly part: number;
  readonly isHtml: boolean;
  readonly text: string;
  #reading: HtmlReading | undefined;

  constructor(part: number, isHtml: boolean, text: string) {
    this.part = part;
    this.isHtml = isHtml;
    this.text = text;
  }

  /** The text read as HTML, once. */
  html(): HtmlReading {
    this.#reading ??= readHtml(this.text);
    return this.#reading;
  }
}

/** Decodes the text parts of a message, those of enclosed messages too; bodies of attachments are left alone. */
export function readBodies(bytes: Buffer, structure: Structure): readonly BodyPart[] {
  const bodies: BodyPart[] = [];
  let left = MAX_TEXT;
  for (const part of structure.parts) {
    if (!isBodyText(part) || left <= 0) continue;
    const end = Math.min(part.body.end, part.body.start + 2 * left);
    // Where readers may undo different encodings, each of the texts is read.
    for (const encoding of [part.encoding, ...(part.otherEncodings ?? [])]) {
      const decoded =
        encoding === part.encoding && end === part.body.end
          ? bodyOf(bytes, part)
          : decodeTransfer(bytes, { start: part.body.start, end }, encoding);
      for (const text of textsOf(decoded, charsetsOf(part))) {
        const kept = text.slice(0, left);
        left -= kept.length;
        for (const isHtml of kindsOf(part)) bodies.push(new BodyPart(part.index, isHtml, kept));
      }
    }
  }
  return bodies;
}

/** The charsets under which readers may see the text of a part, the declared one first. */
export function charsetsOf(part: Part): readonly string[] {
  const declared = part.params.get('charset') ?? '';
  return part.otherCharsets === undefined ? [declared] : [declared, ...part.otherCharsets];
}

/** The text in each of the charsets, as far as they make a difference. */
function textsOf(bytes: Buffer, charsets: readonly string[]): readonly string[] {
  // Readers leave out NUL; it also stands between the letters of UTF-16 that calls itself something else.
  const texts = charsets.map((charset) => decodeCharset(bytes, charset).replaceAll('\0', ''));
  // A set goes through all of each text for its hash.
  return texts.length === 1 ? texts : [...new Set(texts)];
}

/** Whether the part is shown as HTML: both where one reader takes it for HTML and another does not. */
function kindsOf({ type, otherTypes = [] }: Part): readonly boolean[] {
  const isHtml = type === 'text/html';
  const differs = otherTypes.some((other) => other.startsWith('text/') && (other === 'text/html') !== isHtml);
  return differs ? [isHtml, !isHtml] : [isHtml];
}

/** Texts of messages inside attachments, as text parts of the attachment. */
export function bodiesOf(enclosed: readonly EnclosedBody[]): readonly BodyPart[] {
  const bodies: BodyPart[] = [];
  let left = MAX_TEXT;
  for (const { part, mime, charset, content } of enclosed) {
    if (left <= 0) break;
    const text = decodeCharset(content.subarray(0, 2 * left), charset)
      .slice(0, left)
      .replaceAll('\0', '');
    left -= text.length;
    bodies.push(new BodyPart(part, mime === 'text/html', text));
  }
  return bodies;
}

/** What a reader sees of the text parts. */
export function bodyText(bodies: readonly BodyPart[]): MessageText {
  const texts = bodies.map((body) => (body.isHtml ? renderText(body.html()) : body.text));
  return { text: texts.join('\n'), html: bodies.filter(({ isHtml }) => isHtml).map(({ text }) => text) };
}
