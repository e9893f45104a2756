import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeFeatures } from './bayes.js';
import { chiSquaredTail } from './chi-squared.js';
import { HashTable } from './hash-table.js';
import { decodeModel, encodeModel, shippedModel } from './model.js';
import { wordSign } from './word-sign.js';

describe('the chi-squared distribution', () => {
  it.each([
    // Quantiles from tables: degrees of freedom, x, probability of more.
    [2, 5.991, 0.05],
    [4, 9.488, 0.05],
    [10, 23.209, 0.01],
    [60, 79.082, 0.05],
  ])('with %i degrees of freedom is over %f with the probability %f', (degrees, x, tail) => {
    expect(chiSquaredTail(x, degrees / 2)).toBeCloseTo(tail, 4);
  });

  it('stays within 0 and 1, however much evidence there is', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.001, max: 1e6, noNaN: true }), fc.integer({ min: 1, max: 200 }), (x, half) => {
        const tail = chiSquaredTail(x, half);
        return tail >= 0 && tail <= 1;
      }),
    );
  });
});

describe('the opinion on features', () => {
  const range = (from: number, count: number): number[] => Array.from({ length: count }, (_, i) => from + i);
  const table = new HashTable([
    ...range(1_000, 100).map((hash) => ({ hash, value: 245 })),
    ...range(2_000, 100).map((hash) => ({ hash, value: 10 })),
    ...range(3_000, 100).map((hash) => ({ hash, value: 128 })),
  ]);

  it('goes by what is known, and is open when nothing is or both sides are even', () => {
    expect(judgeFeatures(range(1_000, 30), table).probability).toBeGreaterThan(0.99);
    expect(judgeFeatures(range(2_000, 30), table).probability).toBeLessThan(0.01);
    expect(judgeFeatures(range(9_000, 30), table)).toEqual({ probability: 0.5, evidence: 0 });
    expect(judgeFeatures(range(3_000, 30), table).evidence).toBe(0);
    expect(judgeFeatures([...range(1_000, 30), ...range(2_000, 30)], table).probability).toBeCloseTo(0.5, 1);
  });

  it('is careful with few words', () => {
    const one = judgeFeatures(range(1_000, 1), table).probability;
    expect(one).toBeGreaterThan(0.5);
    expect(one).toBeLessThan(0.6);
  });

  it('counts for points within bounds', () => {
    expect(wordSign({ probability: 1, evidence: 100 }, false).points).toBe(6);
    expect(wordSign({ probability: 1, evidence: 100 }, true).points).toBe(4);
    expect(wordSign({ probability: 0, evidence: 100 }, false).points).toBe(-2);
    expect(wordSign({ probability: 0.5, evidence: 0 }, false)).toEqual({ name: 'words-undecided', points: 0 });
  });
});

describe('the model file', () => {
  it('holds what was written', () => {
    const entry = fc.record({
      hash: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
      value: fc.integer({ min: 1, max: 254 }),
    });
    fc.assert(
      fc.property(fc.uniqueArray(entry, { selector: ({ hash }) => hash, maxLength: 300 }), (entries) => {
        const model = decodeModel(encodeModel(entries));
        return entries.every(({ hash, value }) => model.lookUp(hash) === value);
      }),
    );
  });

  it('is refused when it is damaged', () => {
    const bytes = encodeModel([{ hash: 1, value: 2 }]);
    expect(() => decodeModel(bytes.subarray(0, -1))).toThrow('damaged');
    expect(() => decodeModel(Buffer.from('nothing'))).toThrow('damaged');
  });

  it('comes with Gatepost', () => {
    expect(shippedModel().size).toBeGreaterThan(10_000);
  });
});
