import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LiteralFinder } from './literal-finder.js';

function foundIn(literals: readonly string[], text: string): string[] {
  const found = new Set<string>();
  new LiteralFinder(literals).find(text, (index) => found.add(literals[index] ?? '?'));
  return [...found].sort();
}

describe('LiteralFinder', () => {
  it('finds literals inside each other', () => {
    expect(foundIn(['he', 'she', 'his', 'hers', 'e'], 'ushers')).toEqual(['e', 'he', 'hers', 'she']);
  });

  it('finds what includes() finds', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', 'ü'), minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(
        fc.uniqueArray(word, { maxLength: 12 }),
        fc.string({ unit: fc.constantFrom('a', 'b', 'ü', 'z'), maxLength: 30 }),
        (literals, text) => {
          expect(foundIn(literals, text)).toEqual(literals.filter((literal) => text.includes(literal)).sort());
        },
      ),
      { numRuns: 500 },
    );
  });
});
