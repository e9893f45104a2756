import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { leastQuoted } from './local-part.js';

describe('the least quoting of an address', () => {
  it.each([
    ['joe@b.example', 'joe@b.example'],
    ['"joe"@b.example', 'joe@b.example'],
    ['"j\\oe"@b.example', 'joe@b.example'],
    ['"\\j\\o\\e"@b.example', 'joe@b.example'],
    ['"joe.smith"@b.example', 'joe.smith@b.example'],
    ['"käthe"@bücher.example', 'käthe@bücher.example'],
    ['"用户"@例え.jp', '用户@例え.jp'],
    ['"joe smith"@b.example', '"joe smith"@b.example'],
    ['"joe\\ smith"@b.example', '"joe smith"@b.example'],
    ['"joe."@b.example', '"joe."@b.example'],
    ['".joe"@b.example', '".joe"@b.example'],
    ['"j..oe"@b.example', '"j..oe"@b.example'],
    ['"\\a\\@b"@c.example', '"a@b"@c.example'],
    ['"a\\"b"@c.example', '"a\\"b"@c.example'],
    ['"a\\\\b"@c.example', '"a\\\\b"@c.example'],
    ['""@b.example', '""@b.example'],
  ])('%s is %s', (address, least) => {
    expect(leastQuoted(address)).toBe(least);
  });

  it.each(['', '"', '"@b', '"a@b', 'a"@b', '"a"', '"a"b"@c', '"a\\"@b', '"a" @b', '<>', '*', '@list'])(
    '%j is no quoted address, and stays',
    (text) => {
      expect(leastQuoted(text)).toBe(text);
    },
  );

  it('is one for all forms of a mailbox, and final', () => {
    const character = fc.oneof(
      fc.constantFrom('a', '.', ' ', '"', '\\', '@', '%', 'ä', '𝐞'),
      fc.string({ maxLength: 1 }),
    );
    const local = fc.array(fc.tuple(character, fc.boolean()), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(local, (characters) => {
        const quoted = (always: boolean): string =>
          characters
            .map(([c, pair]) => (c !== '' && (always || pair || c === '"' || c === '\\') ? `\\${c}` : c))
            .join('');
        const least = leastQuoted(`"${quoted(false)}"@b.example`);
        expect(leastQuoted(`"${quoted(true)}"@b.example`)).toBe(least);
        expect(leastQuoted(least)).toBe(least);
      }),
      { numRuns: 2000 },
    );
  });

  it('of a megabyte takes no other way than that of a few bytes', () => {
    for (const part of ['a', 'a.', 'a..', '\\a', ' ']) {
      const long = `"${part.repeat(2 ** 20 / part.length)}"@b.example`;
      expect(leastQuoted(leastQuoted(long))).toBe(leastQuoted(long));
    }
  });
});
