import { isAscii } from 'node:buffer';

/** What typewriters wrote; other letters lose their marks. */
const REPLACEMENTS: ReadonlyMap<string, string> = new Map([
  ...pairs('\u2018\u2019\u201a\u201b\u2032\u2039\u203a', "'"),
  ...pairs('\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb', '"'),
  ...pairs('\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u00ad', '-'),
  ...pairs('\u00a0\u2002\u2003\u2007\u2009\u200a\u202f\u3000', ' '),
  ...pairs('\u200b\u200c\u200d\u2060\ufeff\ufe0f\u2066\u2067\u2068\u2069\u200e\u200f', ''),
  ...pairs('\u2022\u00b7\u25cf', '*'),
  ['\u2026', '...'],
  ['\u2044', '/'],
  ['\u00a5', 'JPY'],
  ['\u20ac', 'EUR'],
  ['\u00a3', 'GBP'],
  ['\u00a9', '(c)'],
  ['\u00ae', '(R)'],
  ['\u2122', '(TM)'],
  ['\u2192', '->'],
  ['\u2190', '<-'],
  ['\u26a0', '(!)'],
  ['\u00df', 'ss'],
  ['\u00c4', 'Ae'],
  ['\u00d6', 'Oe'],
  ['\u00dc', 'Ue'],
  ['\u00e4', 'ae'],
  ['\u00f6', 'oe'],
  ['\u00fc', 'ue'],
  ['\u00c6', 'AE'],
  ['\u00e6', 'ae'],
  ['\u00d8', 'O'],
  ['\u00f8', 'o'],
  ['\u0141', 'L'],
  ['\u0142', 'l'],
  ['\u0152', 'OE'],
  ['\u0153', 'oe'],
  ['\u00de', 'Th'],
  ['\u00fe', 'th'],
  ['\u0110', 'D'],
  ['\u0111', 'd'],
  ['\u0131', 'i'],
]);

function pairs(from: string, to: string): [string, string][] {
  return Array.from(from, (char): [string, string] => [char, to]);
}

/**
 * A text of characters that `holds` says a charset has: others lose their marks, or are written as typewriters wrote them,
 * or become a question mark.
 */
export function transliterated(text: string, holds: (char: string) => boolean): string {
  return eachChar(text, (char) => {
    if (holds(char)) return char;
    const known = REPLACEMENTS.get(char);
    if (known !== undefined) return known;
    const bare = char.normalize('NFKD').replace(/\p{M}/gu, '');
    const parts = Array.from(bare, (part) => (holds(part) ? part : REPLACEMENTS.get(part)));
    return bare !== '' && !parts.includes(undefined) ? parts.join('') : '?';
  });
}

/** Each character beyond ASCII as `write` has it. */
export function eachChar(text: string, write: (char: string) => string): string {
  if (isAscii(Buffer.from(text, 'utf8'))) return text;
  return Array.from(text, (char) => (char <= '\u007f' ? char : write(char))).join('');
}
