import { ENGLISH } from './words-english.js';

/** The sections of `words.yaml`. Each is a table of texts; `{name}` in a text is filled in. */
export const WORD_SECTIONS = [
  'message',
  'reports',
  'mails',
  'answers',
  'sizes',
  'actions',
  'statuses',
  'severities',
  'groups',
  'events',
  'phrases',
] as const;
export type WordSection = (typeof WORD_SECTIONS)[number];

/** Texts by section and key. */
export type WordTable = Readonly<Partial<Record<WordSection, Readonly<Record<string, string>>>>>;

/** In these a key stands for what comes from modules, rules or servers: any key is good. */
export const OPEN_SECTIONS: ReadonlySet<WordSection> = new Set(['statuses', 'phrases']);

const UNITS = ['kB', 'MB', 'GB'] as const;

/** The words of one language that code puts into mails; what the language lacks is in English. */
export class Words {
  private readonly tables: readonly WordTable[];

  /** @param tables the first that has a text wins; English stands behind them. Plain data: it can be handed to a thread. */
  constructor(tables: readonly WordTable[] = []) {
    this.tables = tables;
  }

  /** As it can be handed to a thread. */
  get data(): readonly WordTable[] {
    return this.tables;
  }

  /** A text, filled in. A key that no language knows is shown as it is: the name of a third party's status, say. */
  say(section: WordSection, key: string, values: Readonly<Record<string, string>> = {}): string {
    const text = this.find(section, key) ?? key;
    return text.replace(/\{([a-z]+)\}/gi, (written, name: string) => ownText(values, name) ?? written);
  }

  /** A number of bytes for people: `1.2 MB`. */
  size(bytes: number): string {
    if (bytes < 1000) return this.say('sizes', 'B', { number: String(bytes) });
    let value = bytes;
    for (const unit of UNITS) {
      value /= 1000;
      if (value < 1000 || unit === 'GB') return this.say('sizes', unit, { number: this.number(value) });
    }
    return String(bytes);
  }

  /** A sentence that code wrote in English; what stands in its braces is taken over. */
  phrase(english: string): string {
    if (english === '' || this.tables.length === 0) return english;
    const whole = this.find('phrases', english);
    if (whole !== undefined) return whole;
    for (const [pattern, text] of this.patterns()) {
      const values = matched(pattern, english);
      if (values !== undefined) return text.replace(/\{(\d)\}/g, (written, at: string) => values[Number(at)] ?? written);
    }
    return english;
  }

  private number(value: number): string {
    const text = value < 10 ? value.toFixed(1) : String(Math.round(value));
    return text.replace('.', this.say('sizes', 'decimal'));
  }

  private find(section: WordSection, key: string): string | undefined {
    const tables: readonly WordTable[] = [...this.tables, ENGLISH];
    for (const table of tables) {
      const text = ownText(table[section] ?? {}, key);
      if (text !== undefined) return text;
    }
    return undefined;
  }

  private patterns(): readonly (readonly [string, string])[] {
    return this.tables.flatMap((table) => Object.entries(table.phrases ?? {}).filter(([key]) => /\{\d\}/.test(key)));
  }
}

export const ENGLISH_WORDS = new Words();

/** What stands in `text` for the `{0}` ... `{9}` of a pattern; undefined when it is another text. Linear: each finds its first end. */
function matched(pattern: string, text: string): readonly string[] | undefined {
  const [start = '', ...rest] = pattern.split(/\{\d\}/);
  if (!text.startsWith(start)) return undefined;
  const values: string[] = [];
  let at = start.length;
  for (const [i, literal] of rest.entries()) {
    const last = i === rest.length - 1;
    const end = last && literal === '' ? text.length : last ? text.length - literal.length : text.indexOf(literal, at);
    if (end < at || !text.startsWith(literal, end)) return undefined;
    values.push(text.slice(at, end));
    at = end + literal.length;
  }
  return at === text.length ? values : undefined;
}

function ownText(table: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
