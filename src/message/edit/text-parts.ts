import { isAttachment } from '../objects/attachment.js';
import type { Message, Part } from '../types.js';

/** The text parts at one end of what a reader sees: what to put there has to go into each. */
export type TextParts = readonly Part[];

type Kind = 'plain' | 'html';
/** Something that is shown as one: a text part, or the forms of one text. */
interface Shown {
  readonly parts: ReadonlyMap<Kind, readonly Part[]>;
}

/** Their children are no text of the message. */
const OTHER_MULTIPARTS: ReadonlySet<string> = new Set([
  'multipart/digest',
  'multipart/appledouble',
  'multipart/x-mixed-replace',
]);
/** Encodings in which a body can be written again. */
const WRITABLE: ReadonlySet<string> = new Set(['7bit', '8bit', 'binary', 'quoted-printable', 'base64']);
/** Larger texts are left as they are: a part beside them says what is to be said. */
export const MAX_EDITED = 8 * 1024 * 1024;

/**
 * The text and HTML parts at the start (or end) of the message. Of a multipart/alternative that is each of its forms;
 * of several parts that are shown one below the other the first (or last), and where that one has no HTML (or no plain
 * text) also the first (or last) that has: some readers show that alone.
 * @param gone parts that are taken out
 */
export function textPartsAt(message: Message, end: 'start' | 'end', gone: ReadonlySet<number>): TextParts {
  const shown = shownIn(message, message.structure.root, end, gone);
  return [...(shown?.parts.values() ?? [])].flat().sort((a, b) => a.index - b.index);
}

function shownIn(message: Message, part: Part, end: 'start' | 'end', gone: ReadonlySet<number>): Shown | undefined {
  if (part.alternative === true || gone.has(part.index)) return undefined;
  if (!part.type.startsWith('multipart/')) return leaf(message, part);
  if (OTHER_MULTIPARTS.has(part.type)) return undefined;
  const children = part.children.flatMap((index) => message.structure.parts[index] ?? []);
  if (part.type === 'multipart/related') {
    const root = relatedRoot(message, part, children);
    return root === undefined ? undefined : shownIn(message, root, end, gone);
  }
  const inside = children.flatMap((child) => shownIn(message, child, end, gone) ?? []);
  if (part.type === 'multipart/alternative') return merge(inside);
  return atEnd(end === 'start' ? inside : inside.reverse());
}

/** RFC 2387 3.2: the part that `start` names, else the first. */
function relatedRoot(message: Message, part: Part, children: readonly Part[]): Part | undefined {
  const start = part.params.get('start');
  const named =
    start === undefined
      ? undefined
      : children.find((child) =>
          child.fields.some(
            ({ key, value }) =>
              key === 'content-id' && message.bytes.toString('latin1', value.start, value.end).trim() === start.trim(),
          ),
        );
  return named ?? children[0];
}

function leaf(message: Message, part: Part): Shown | undefined {
  const kind: Kind | undefined = part.type === 'text/plain' ? 'plain' : part.type === 'text/html' ? 'html' : undefined;
  if (kind === undefined || isAttachment(message.bytes, part)) return undefined;
  if (part.otherTypes !== undefined || part.otherEncodings !== undefined || !WRITABLE.has(part.encoding))
    return undefined;
  // Beneath it other readers see parts.
  if (part.children.length > 0 || part.body.end - part.body.start > MAX_EDITED) return undefined;
  return { parts: new Map([[kind, [part]]]) };
}

function merge(list: readonly Shown[]): Shown | undefined {
  if (list.length === 0) return undefined;
  const parts = new Map<Kind, readonly Part[]>();
  for (const shown of list)
    for (const [kind, some] of shown.parts) parts.set(kind, [...(parts.get(kind) ?? []), ...some]);
  return { parts };
}

/** @param list the one at the end that is asked for stands first */
function atEnd(list: readonly Shown[]): Shown | undefined {
  const most = Math.max(0, ...list.map(({ parts }) => parts.size));
  const parts = new Map(list.find((shown) => shown.parts.size === most)?.parts);
  for (const shown of list) for (const [kind, some] of shown.parts) if (!parts.has(kind)) parts.set(kind, some);
  return parts.size === 0 ? undefined : { parts };
}
