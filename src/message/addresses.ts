import { decodeRaw } from './decode/header-text.js';
import { decodeWords } from './decode/words.js';
import type { MailAddress } from './types.js';

/** Addresses of one field that are read. */
const MAX_ADDRESSES = 20_000;

/**
 * Reads an address list (RFC 5322 3.4) in one pass, as leniently as clients do: groups are flattened, semicolons
 * separate like commas, a comment serves as the name of an address that has none.
 * @param raw unfolded, one character for each byte
 */
export function parseAddresses(raw: string): readonly MailAddress[] {
  const text = decodeRaw(raw);
  const list: MailAddress[] = [];
  let phrase = '';
  let bracketed: string | undefined;
  let comment = '';
  let quoted = false;

  const finish = (): void => {
    const words = phrase.trim();
    const note = comment.trim();
    if (bracketed !== undefined) list.push({ address: bracketed, name: decodeWords(words === '' ? note : words) });
    else if (words !== '') list.push(bare(words, note, quoted));
    phrase = '';
    bracketed = undefined;
    comment = '';
    quoted = false;
  };

  for (let at = 0; at < text.length && list.length < MAX_ADDRESSES; at += 1) {
    const char = text.charAt(at);
    if (char === '"') {
      const [value, end] = quotedString(text, at);
      // A quoted local part belongs to the address; its quotes stay.
      phrase += text.charAt(end) === '@' ? text.slice(at, end) : value;
      quoted ||= text.charAt(end) !== '@';
      at = end - 1;
    } else if (char === '(') {
      const [value, end] = commentAt(text, at);
      comment += comment === '' ? value : ` ${value}`;
      at = end - 1;
    } else if (char === '<') {
      const end = text.indexOf('>', at);
      const stop = end < 0 ? text.length : end;
      const inside = text.slice(at + 1, stop).trim();
      // A route of RFC 822, as in <@a,@b:user@c>, is no part of the address.
      const route = inside.startsWith('@') ? inside.indexOf(':') : -1;
      bracketed = inside.slice(route + 1);
      at = stop;
    } else if (char === ',' || char === ';') {
      finish();
    } else if (char === ':' && bracketed === undefined && !phrase.includes('@')) {
      phrase = '';
      quoted = false;
    } else {
      phrase += char;
    }
  }
  finish();
  return list;
}

/** Text without angle brackets: an address, or a name without one. */
function bare(words: string, note: string, quoted: boolean): MailAddress {
  if (!words.includes('@')) return { address: '', name: decodeWords(words) };
  if (!quoted && (!/\s/.test(words) || /^"[^"]*"@\S+$/.test(words))) return { address: words, name: decodeWords(note) };
  const address = words.split(/\s+/).findLast((word) => word.includes('@')) ?? '';
  const rest = words.slice(0, words.lastIndexOf(address)).trim();
  return { address, name: decodeWords(rest === '' ? note : rest) };
}

/** The value of a quoted string and the position behind it. */
function quotedString(text: string, start: number): readonly [string, number] {
  let value = '';
  let at = start + 1;
  for (; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (char === '"') return [value, at + 1];
    if (char === '\\') at += 1;
    value += text.charAt(at);
  }
  return [value, at];
}

/** The text of a comment and the position behind it; comments nest. */
function commentAt(text: string, start: number): readonly [string, number] {
  let value = '';
  let depth = 0;
  let at = start;
  for (; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (char === '(') {
      depth += 1;
      if (depth === 1) continue;
    } else if (char === ')') {
      depth -= 1;
      if (depth === 0) return [value, at + 1];
    } else if (char === '\\') {
      at += 1;
    }
    value += text.charAt(at);
  }
  return [value, at];
}
