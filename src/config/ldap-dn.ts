/** One `type=value` of a name; types in lower case, values without their escapes. */
export interface NamePart {
  readonly type: string;
  readonly value: string;
}

/** A distinguished name: its relative names from the entry upwards, each of one part or several. */
export type DistinguishedName = readonly (readonly NamePart[])[];

const MAX_LENGTH = 8192;
const TYPE = /^(?:[A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)*)$/;

/**
 * Reads a distinguished name (RFC 4514), with the spaces around separators and the `;` of RFC 2253 that servers still
 * send.
 * @returns undefined when it is none; the empty name is that of the root
 */
export function parseDn(text: string): DistinguishedName | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  if (text.trim() === '') return [];
  const names: NamePart[][] = [];
  let current: NamePart[] = [];
  let at = 0;
  for (;;) {
    const equals = text.indexOf('=', at);
    if (equals < 0) return undefined;
    const type = text.slice(at, equals).trim();
    if (!TYPE.test(type)) return undefined;
    const read = readValue(text, equals + 1);
    if (read === undefined) return undefined;
    current.push({ type: type.toLowerCase(), value: read.value });
    const separator = text[read.end];
    if (separator !== '+') {
      names.push(current);
      current = [];
    }
    if (separator === undefined) return names;
    at = read.end + 1;
  }
}

interface ReadValue {
  readonly value: string;
  /** Position of the separator behind it, or the length of the text. */
  readonly end: number;
}

function readValue(text: string, start: number): ReadValue | undefined {
  const bytes: number[] = [];
  let at = start;
  while (text[at] === ' ') at++;
  const quoted = text[at] === '"';
  if (quoted) at++;
  // Spaces at the end do not count, unless they are escaped.
  let significant = 0;
  for (; at < text.length; at++) {
    const character = text[at] ?? '';
    if (quoted ? character === '"' : /[,;+]/.test(character)) break;
    if (character === '\0' || (!quoted && (character === '"' || character === '<' || character === '>')))
      return undefined;
    if (character === '\\') {
      const pair = text.slice(at + 1, at + 3);
      const next = text[at + 1];
      if (/^[0-9A-Fa-f]{2}$/.test(pair)) {
        bytes.push(Number.parseInt(pair, 16));
        at += 2;
      } else if (next !== undefined && /[ "#+,;<=>\\]/.test(next)) {
        bytes.push(next.charCodeAt(0));
        at++;
      } else return undefined;
      significant = bytes.length;
      continue;
    }
    const whole = String.fromCodePoint(text.codePointAt(at) ?? 0);
    bytes.push(...Buffer.from(whole));
    at += whole.length - 1;
    if (quoted || character !== ' ') significant = bytes.length;
  }
  if (quoted) {
    if (text[at] !== '"') return undefined;
    at++;
    while (text[at] === ' ') at++;
    if (at < text.length && !/[,;+]/.test(text[at] ?? '')) return undefined;
  }
  return { value: Buffer.from(bytes.slice(0, significant)).toString('utf8'), end: at };
}

/**
 * A form in which equal names are the same text: case, escapes and spaces do not count. For comparing alone: what it
 * gives is not handed to a server. A text that is no name is its own form.
 */
export function comparableDn(text: string): string {
  const name = parseDn(text);
  if (name === undefined) return text;
  return name
    .map((parts) =>
      parts
        .map(({ type, value }) => `${type}=${JSON.stringify(value.replace(/ +/g, ' ').trim().toLowerCase())}`)
        .sort()
        .join('+'),
    )
    .join(',');
}
