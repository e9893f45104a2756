import { expect, test } from 'vitest';
import { dotActing, escapeActing, hasActing, withoutActing } from './acting-characters.js';

const HOSTILE = [
  '\0',
  '\x07',
  '\x08',
  '\r',
  '\x1b',
  '\x7f',
  '\x85',
  '\x9b',
  '\u061c',
  '\u200f',
  '\u2028',
  '\u202e',
  '\u2066',
  '\u2069',
];
const GOOD = 'Grüße,\t日本語 👩‍👩‍👧\n';

test.each(HOSTILE)('%j does not reach a terminal', (character) => {
  const text = `a${character}[2Jb`;
  expect(hasActing(text)).toBe(true);
  expect(withoutActing(text, true)).toBe('a[2Jb');
  expect(withoutActing(text, false)).toBe('a[2Jb');
  const json = JSON.stringify(text);
  expect(hasActing(escapeActing(json))).toBe(false);
  expect(JSON.parse(escapeActing(json))).toBe(text);
  expect(hasActing(String(JSON.parse(dotActing(json))))).toBe(false);
});

test('our own colours stay where there are colours, and nothing else of the kind', () => {
  const text = '\x1b[1mbold\x1b[22m \x1b[2J\x1b]0;title\x07 \x1b[31;1mred';
  expect(withoutActing(text, true)).toBe('\x1b[1mbold\x1b[22m [2J]0;title \x1b[31;1mred');
  expect(withoutActing(text, false)).toBe('[1mbold[22m [2J]0;title [31;1mred');
});

test('other text stays as it is', () => {
  expect(withoutActing(GOOD, true)).toBe(GOOD);
  expect(escapeActing(JSON.stringify(GOOD))).toBe(JSON.stringify(GOOD));
  const json = JSON.stringify({ path: 'C:\\u0041\\new', quote: '"', line: 'a\nb\tc' });
  expect(dotActing(json)).toBe(json);
});
