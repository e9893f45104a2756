import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JournalBuffer } from './journal-buffer.js';

describe('the journal buffer', () => {
  it('keeps to its bounds and counts what it turns away', () => {
    const buffer = new JournalBuffer({ lines: 2, size: 100 });
    expect([buffer.push('a'), buffer.push('b'), buffer.push('c')]).toEqual([true, true, false]);
    expect([buffer.length, buffer.lost]).toEqual([2, 1]);
    buffer.drop(1);
    expect(buffer.push('x'.repeat(99))).toBe(true);
    buffer.drop(1);
    expect(buffer.push('xx')).toBe(false);
    expect([buffer.length, buffer.lost]).toEqual([1, 2]);
  });

  it('gives at least one line, however long', () => {
    const buffer = new JournalBuffer({ lines: 10, size: 1000 });
    buffer.push('x'.repeat(50));
    buffer.push('y');
    expect(buffer.peek(10, 10)).toEqual(['x'.repeat(50)]);
    expect(buffer.peek(10, 51)).toHaveLength(2);
    expect(buffer.peek(1, 100)).toHaveLength(1);
  });

  it('is a queue: what goes in comes out, in order, once', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string(), fc.integer({ min: 0, max: 2000 }))), (steps) => {
        const buffer = new JournalBuffer({ lines: 1e9, size: 1e9 });
        const model: string[] = [];
        for (const step of steps) {
          if (typeof step === 'string') {
            for (let i = 0; i < 500; i++) {
              buffer.push(step);
              model.push(step);
            }
          } else {
            buffer.drop(step);
            model.splice(0, step);
          }
          expect(buffer.length).toBe(model.length);
          expect(buffer.peek(3, 1e9)).toEqual(model.slice(0, 3));
        }
      }),
      { numRuns: 30 },
    );
  });
});
