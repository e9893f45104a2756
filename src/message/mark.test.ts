import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Mark } from './mark.js';

/** Few different bytes, so that much is found and more nearly. */
const bytes = (maxLength: number): fc.Arbitrary<Buffer> =>
  fc
    .array(fc.constantFrom(0, 0x0a, 0x2d, 0x61), { maxLength })
    .map((all) => Buffer.from(all))
    .filter((all) => all.length > 0);

describe('a mark', () => {
  it('is found where indexOf finds it', () => {
    const looked = fc.tuple(bytes(40), fc.array(bytes(40), { maxLength: 8 }), bytes(12));
    fc.assert(
      fc.property(looked, fc.nat({ max: 60 }), ([mark, between, before], from) => {
        for (const hay of [Buffer.concat([before, ...between.flatMap((b) => [b, mark])]), Buffer.concat(between)]) {
          expect(new Mark(mark).indexIn(hay, from)).toBe(hay.indexOf(mark, from));
          expect(new Mark(mark).isIn(hay)).toBe(hay.includes(mark));
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('is found behind many of its beginnings', () => {
    const mark = Buffer.from('/Encrypt');
    for (const count of [63, 64, 65, 1000]) {
      const hay = Buffer.from(`${'/Encryx'.repeat(count)}/Encrypt 1 0 R/Encrypt`);
      expect(new Mark(mark).indexIn(hay)).toBe(count * 7);
      expect(new Mark(mark).indexIn(hay, count * 7 + 1)).toBe(count * 7 + 14);
      expect(new Mark(mark).indexIn(hay.subarray(0, -23))).toBe(-1);
    }
  });
});
