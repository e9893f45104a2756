import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeJobId, encodeJobId } from './job-id.js';

describe('job IDs', () => {
  it('leaves ordinary IDs as they are', () => {
    for (const id of ['01J8ZQ4W3T0000000000000000', '01J8ZQ4W3T0000000000000000.2', 'a1-b2_c3'])
      expect(encodeJobId(id)).toBe(id);
  });

  it('makes of any ID one that BullMQ takes, that is no key of its own, and that can be read back', () => {
    const any = fc.oneof(
      fc.string({ minLength: 1, unit: 'binary' }),
      fc.integer({ min: 0 }).map(String),
      fc.constantFrom('id', 'wait', 'stalled-check', '%', ':', '%3A', '0:1'),
    );
    fc.assert(
      fc.property(any, (id) => {
        const encoded = encodeJobId(id);
        expect(encoded).not.toMatch(/:|\0|^\d+$|^[a-z-]+$/);
        expect(decodeJobId(encoded)).toBe(id);
      }),
    );
  });

  it('refuses an empty one', () => {
    expect(() => encodeJobId('')).toThrow('ID');
  });
});
