import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FeatureSet, hashPhrase, scanWords } from './tokens.js';

function words(text: string): number[] {
  const found: number[] = [];
  scanWords(text, (word) => found.push(word));
  return found;
}

describe('words of a text', () => {
  it('do not depend on case, apostrophes, punctuation or hidden characters', () => {
    expect(words('Free MONEY')).toEqual(words('free, money!'));
    expect(words('don’t')).toEqual(words("don't"));
    expect(words('via\u200bgra')).toEqual(words('viagra'));
    expect(words('GRÜSSE')).toEqual(words('grüsse'));
  });

  it('are no numbers, addresses, short or endless strings', () => {
    expect(words('42 1234567 a an x1')).toEqual([]);
    expect(words('see https://example.com/money/free or write money@example.com')).toEqual(words('see write'));
    expect(words('x'.repeat(21))).toEqual([]);
  });

  it('make pairs with the word before', () => {
    const pairs: number[] = [];
    scanWords('click here now', (_, pair) => pairs.push(pair));
    expect(pairs[0]).toBe(0);
    expect(pairs[1]).toBe(hashPhrase('click here'));
    expect(pairs[2]).toBe(hashPhrase('here now'));
    expect(hashPhrase('click here')).not.toBe(hashPhrase('here click'));
  });

  it('are found in any text, and are hashes of 32 bits that are not 0', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        for (const hash of words(text)) if (!(Number.isInteger(hash) && hash > 0 && hash < 2 ** 32)) return false;
        return true;
      }),
    );
  });
});

describe('features of a message', () => {
  it('are each counted once, and apart by where they stand', () => {
    const features = new FeatureSet();
    features.add('body', 'money money money');
    expect(features.hashes).toHaveLength(2);
    features.add('subject', 'money');
    expect(features.hashes).toHaveLength(3);
    expect(new Set(features.hashes).size).toBe(3);
  });

  it('are bounded, and of a long text taken from start, middle and end', () => {
    const filler = Array.from({ length: 20_000 }, (_, i) => `w${i.toString(36)}xyz`).join(' ');
    const features = new FeatureSet();
    features.add('body', `beginning ${filler} ending`);
    expect(features.hashes.length).toBeLessThanOrEqual(3_500);
    expect(features.hashes).toContain(hashPhrase('beginning'));
    expect(features.hashes).toContain(hashPhrase('ending'));
  });
});
