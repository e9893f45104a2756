import type { Message, Part } from '../types.js';
import type { EditList } from './edit-list.js';
import { addOwnParts } from './own-part.js';
import { type BannerText, writeIntoPart } from './part-text.js';
import { plainLines } from './plain-lines.js';
import { protectionOf } from './protection.js';
import { type Removal, removedParts, replacesRoot, type TextAround } from './removal.js';
import { textPartsAt } from './text-parts.js';

/** A warning or disclaimer, filled in. */
export interface Banner extends BannerText {
  /** For people: the name of its template. */
  readonly name: string;
}

/** What is put before and behind the text of a message. */
export interface Banners {
  readonly warn: readonly Banner[];
  readonly disclaimer: readonly Banner[];
}

export interface PlannedBanners {
  readonly notes: readonly string[];
  /** They are left out, as the body is signed or encrypted. */
  readonly leftOut: boolean;
  /** For the text that takes the place of the whole body. */
  readonly around: TextAround;
}

const NOTHING: PlannedBanners = { notes: [], leftOut: false, around: { before: [], after: [] } };

/**
 * Puts warnings before and disclaimers behind the text and HTML parts of a message; a message that has none gets a part
 * for them. Attachments and enclosed messages are never written into, signed and encrypted messages not at all.
 */
export function planBanners(
  message: Message,
  banners: Banners,
  removals: readonly Removal[],
  edits: EditList,
): PlannedBanners {
  const { warn, disclaimer } = banners;
  if (warn.length === 0 && disclaimer.length === 0) return NOTHING;
  const protection = protectionOf(message);
  if (protection !== undefined)
    return {
      ...NOTHING,
      leftOut: true,
      notes: [
        `left out ${named(warn, disclaimer)}: the message is ${protection}, and only its outer fields are changed`,
      ],
    };
  const own = { start: joined(warn), end: joined(disclaimer) };
  if (replacesRoot(message, removals))
    return {
      ...NOTHING,
      notes: [`put ${named(warn, disclaimer)} into the text that takes the place of the body`],
      around: { before: warn.map(lines), after: disclaimer.map(lines) },
    };
  const written = writeIntoParts(message, banners, removedParts(message, removals), edits);
  if (written.length > 0) return { ...NOTHING, notes: written };
  addOwnParts(message, own, edits);
  return { ...NOTHING, notes: [`put ${named(warn, disclaimer)} into a part of its own`] };
}

/** @returns notes; none when there is no part that could take them */
function writeIntoParts(
  message: Message,
  { warn, disclaimer }: Banners,
  gone: ReadonlySet<number>,
  edits: EditList,
): string[] {
  const starts = new Set(warn.length === 0 ? [] : textPartsAt(message, 'start', gone));
  const ends = new Set(disclaimer.length === 0 ? [] : textPartsAt(message, 'end', gone));
  const notes: string[] = [];
  for (const part of new Set([...starts, ...ends])) {
    const texts = { start: starts.has(part) ? warn : [], end: ends.has(part) ? disclaimer : [] };
    if (writeIntoPart(message, part, texts, edits))
      notes.push(`put ${named(texts.start, texts.end)} into ${describe(part)}`);
  }
  return notes;
}

function describe(part: Part): string {
  return `${part.type === 'text/html' ? 'the HTML' : 'the text'} of part ${part.index + 1}`;
}

function named(warn: readonly Banner[], disclaimer: readonly Banner[]): string {
  const say = (what: string, list: readonly Banner[]): string[] =>
    list.length === 0 ? [] : [`the ${what} ${list.map(({ name }) => name).join(', ')}`];
  return [...say('warning', warn), ...say('disclaimer', disclaimer)].join(' and ');
}

function lines({ text }: Banner): string {
  return plainLines(text);
}

function joined(list: readonly Banner[]): string {
  return list.map(lines).join('\r\n\r\n');
}
