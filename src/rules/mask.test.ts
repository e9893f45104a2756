import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileMask, fold } from './mask.js';

const matches = (mask: string, value: string): boolean => compileMask(mask)(fold(value));

/** The plain definition, by dynamic programming over code points: slow and easy to believe. */
function reference(mask: string, value: string): boolean {
  const wanted = Array.from(fold(mask));
  const given = Array.from(fold(value));
  let row = [true, ...given.map(() => false)];
  for (const character of wanted) {
    const next = [character === '*' && row[0] === true];
    for (const [i, unit] of given.entries())
      next.push(
        character === '*'
          ? row[i + 1] === true || next[i] === true
          : row[i] === true && (character === '?' || character === unit),
      );
    row = next;
  }
  return row.at(-1) === true;
}

describe('the form that is compared', () => {
  it('of a megabyte of white space takes no other way than that of a few bytes', () => {
    for (const text of [`\tx${' '.repeat(2 ** 20)}y`, `${' \t'.repeat(2 ** 19)}y`, `${' '.repeat(2 ** 20)}\ty`])
      expect(fold(text).endsWith(' y')).toBe(true);
  });

  it.each([
    ['a \t b', 'a b'],
    ['a\tb', 'a b'],
    ['a  b', 'a  b'],
    ['\ta  b\t\t', ' a  b '],
  ])('of %j is %j', (text, folded) => {
    expect(fold(text)).toBe(folded);
  });
});

describe('a mask', () => {
  it.each([
    ['*@example.org', 'Anna@Example.ORG', true],
    ['*@example.org', 'anna@sub.example.org', false],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['a?c', 'a\u{1F600}c', true],
    ['a??c', 'a\u{1F600}c', false],
    ['*.exe', 'setup.exe.txt', false],
    ['*', '', true],
    ['?', '', false],
    ['*a*a*', 'a', false],
    ['a*a', 'a', false],
    ['*invoice*', 'Your\r\n invoice\n2', true],
    ['m\u00fcller*', 'MU\u0308LLER & Co', true],
    ['a.c', 'abc', false],
    // Those of full width are letters of the mask.
    ['*\uff1f*', 'why', false],
    ['*\uff1f*', 'why?', true],
    ['*\uff0a?', 'a\uff0ab', true],
    ['*\uff0a?', 'ab', false],
  ])('%j on %j', (mask, value, expected) => {
    expect(matches(mask, value)).toBe(expected);
  });

  it('agrees with the plain definition', () => {
    const letters = fc.array(fc.constantFrom('a', 'b', 'A', '\u{1F600}', '\u00e9', '.'), { maxLength: 12 });
    const mask = fc.array(fc.constantFrom('a', 'b', '*', '?', '*', '\u{1F600}', '.'), { maxLength: 9 });
    fc.assert(
      fc.property(mask, letters, (m, v) => {
        expect(matches(m.join(''), v.join(''))).toBe(reference(m.join(''), v.join('')));
      }),
      { numRuns: 3000 },
    );
  });

  it('takes time that grows with the value and not faster', () => {
    const test = compileMask('*a*a?a*aab?*ab*?b*aaaaaaac');
    const time = (length: number): number => {
      const value = 'a'.repeat(length);
      const start = process.hrtime.bigint();
      expect(test(value)).toBe(false);
      return Number(process.hrtime.bigint() - start) / 1e6;
    };
    time(100_000);
    // Backtracking would take years here.
    expect(time(2_000_000)).toBeLessThan(2000);
  });
});
