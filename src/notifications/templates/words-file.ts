import { z } from 'zod';
import type { Problem } from '../../config/problems.js';
import { nearest } from '../../config/suggest.js';
import { YamlSource } from '../../config/yaml-source.js';
import { isEventName, EVENTS } from '../../events/registry.js';
import { ENGLISH } from './words-english.js';
import { OPEN_SECTIONS, WORD_SECTIONS, type WordSection, type WordTable } from './words.js';

/** Name of the file in a language's folder. */
export const WORDS_FILE = 'words.yaml';
const MAX_TEXT = 500;

const table = z.record(z.string(), z.string().max(MAX_TEXT));
const file = z.strictObject({
  message: table.optional(),
  reports: table.optional(),
  mails: table.optional(),
  answers: table.optional(),
  sizes: table.optional(),
  actions: table.optional(),
  statuses: table.optional(),
  severities: table.optional(),
  groups: table.optional(),
  events: table.optional(),
  phrases: table.optional(),
});

/**
 * Reads the words of a language. A key that means nothing is warned of, and so is a text that names a value which is
 * not filled in there.
 * @param shown path of the file, for problems
 */
export function parseWords(
  shown: string,
  text: string,
): { readonly words?: WordTable; readonly problems: readonly Problem[] } {
  const yaml = new YamlSource(shown, text);
  if (yaml.problems.length > 0) return { problems: yaml.problems };
  const parsed = file.safeParse(yaml.value ?? {});
  if (!parsed.success) return { problems: yaml.fromZod(parsed.error, file) };
  const problems: Problem[] = [];
  for (const section of WORD_SECTIONS) {
    for (const [key, value] of Object.entries(parsed.data[section] ?? {})) {
      const english = englishOf(section, key);
      if (english === undefined) {
        const meant = nearest(key, keysOf(section));
        const hint = meant === undefined ? `known are ${keysOf(section).join(', ')}` : `did you mean \`${meant}\`?`;
        problems.push(yaml.warning([section, key], `\`${section}.${key}\` is not used`, hint, 'key'));
        continue;
      }
      const known = namesIn(english);
      for (const name of namesIn(value))
        if (!known.includes(name))
          problems.push(
            yaml.warning(
              [section, key],
              `{${name}} in \`${section}.${key}\` is not filled in`,
              known.length === 0 ? 'there is nothing to be filled in here' : `known are ${known.map((one) => `{${one}}`).join(', ')}`,
            ),
          );
    }
  }
  return { words: definedOnly(parsed.data), problems };
}

function definedOnly(data: Partial<Record<WordSection, Record<string, string> | undefined>>): WordTable {
  return Object.fromEntries(Object.entries(data).filter(([, value]) => value !== undefined));
}

/** What a text stands for; undefined for a key that code never asks for. */
function englishOf(section: WordSection, key: string): string | undefined {
  if (OPEN_SECTIONS.has(section)) return key;
  if (section === 'events') return isEventName(key) ? key : undefined;
  const known: Readonly<Record<string, string>> = englishTable(section);
  return Object.hasOwn(known, key) ? known[key] : undefined;
}

function keysOf(section: WordSection): readonly string[] {
  return Object.keys(section === 'events' ? EVENTS : englishTable(section));
}

function englishTable(section: WordSection): Readonly<Record<string, string>> {
  const all: WordTable = ENGLISH;
  return all[section] ?? {};
}

function namesIn(text: string): readonly string[] {
  return [...text.matchAll(/\{([a-z]+|\d)\}/gi)].flatMap(([, name]) => (name === undefined ? [] : [name]));
}
