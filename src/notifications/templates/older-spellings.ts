import { OBJECT_SPELLINGS, OLDER_SPELLINGS } from './macros.js';

/** A text in today's spelling that knows where each of its characters came from. */
export interface Translation {
  readonly text: string;
  /** Older macros that are not known: they stay as written. Offsets count in the original text. */
  readonly unknown: readonly { readonly name: string; readonly offset: number }[];
  /** The offset in the original text of an offset in the new one. */
  readonly offset: (translated: number) => number;
}

/** Comments and mustaches are passed over; of the rest, `%NAME%` is looked at. */
const TOKENS = /\{\{!--[\s\S]*?--\}\}|\{\{[\s\S]*?\}\}|%([A-Za-z][A-Za-z_]{1,40})%/g;

/** Turns `%SENDER%` into `{{sender}}` and `%DATA_BEGIN%` ... `%DATA_END%` into a loop over the objects. */
export function translateOlderSpellings(original: string): Translation {
  const moves: { readonly from: number; readonly to: number; readonly end: number }[] = [];
  const unknown: { name: string; offset: number }[] = [];
  let inObjects = false;
  let text = '';
  let position = 0;
  for (const match of original.matchAll(TOKENS)) {
    const name = match[1];
    if (name === undefined) continue;
    const upper = name.toUpperCase();
    const replacement = modern(upper, inObjects);
    if (upper === 'DATA_BEGIN') inObjects = true;
    if (upper === 'DATA_END') inObjects = false;
    if (replacement === undefined) {
      unknown.push({ name: match[0], offset: match.index });
      continue;
    }
    text += original.slice(position, match.index);
    moves.push({ from: text.length, to: match.index, end: text.length + replacement.length });
    text += replacement;
    position = match.index + match[0].length;
  }
  text += original.slice(position);
  return {
    text,
    unknown,
    offset(translated) {
      const before = moves.filter((move) => move.from <= translated).at(-1);
      if (before === undefined) return translated;
      const written = original.indexOf('%', before.to + 1) + 1;
      return translated < before.end ? before.to : written + (translated - before.end);
    },
  };
}

function modern(name: string, inObjects: boolean): string | undefined {
  if (name === 'DATA_BEGIN') return '{{#each objects}}';
  if (name === 'DATA_END') return '{{/each}}';
  const object = OBJECT_SPELLINGS.get(name);
  if (object !== undefined) return inObjects ? `{{${object.inside}}}` : `{{${object.outside}}}`;
  const macro = OLDER_SPELLINGS.get(name);
  if (macro === undefined) return undefined;
  return inObjects ? `{{@root.${macro}}}` : `{{${macro}}}`;
}
