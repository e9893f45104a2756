import { describe, expect, it } from 'vitest';
import { canonicalField, canonicalSignatureField, fieldRanges, signedFields } from './canonical-header.js';

const relaxed = (field: string): string => canonicalField(Buffer.from(field, 'latin1'), 'relaxed');

describe('a header field as it is signed', () => {
  it.each([
    ['A: X\r\n', 'a:X\r\n'],
    ['B : Y\t\r\n\tZ  \r\n', 'b:Y Z\r\n'],
    ['Subject:\r\n', 'subject:\r\n'],
    ['X:\xa0a\x0b\x0c\xa0\r\n', 'x:\xa0a\x0b\x0c\xa0\r\n'],
  ])('%j under relaxed is %j (RFC 6376 3.4.5 and 3.4.2)', (field, canonical) => {
    expect(relaxed(field)).toBe(canonical);
  });

  it('under simple is as it stands', () => {
    expect(canonicalField(Buffer.from('B : Y\t\r\n\tZ  \r\n'), 'simple')).toBe('B : Y\t\r\n\tZ  \r\n');
  });

  it('that is the signature has no value of `b=`, and none of its other tags changes', () => {
    const field = Buffer.from('DKIM-Signature: bh=x=; b = a\r\n b; z=b=1\r\n');
    expect(canonicalSignatureField(field, 'simple')).toBe('DKIM-Signature: bh=x=; b =; z=b=1');
  });

  it('of a megabyte of white space takes no other way than a short one', () => {
    const blank = ' \t'.repeat(2 ** 19);
    for (const field of [`X${blank}y: z\r\n`, `X: y${blank}z\r\n`, `X${blank}: y\r\n`]) {
      const bytes = Buffer.from(field);
      expect(relaxed(field)).toMatch(/^x/);
      expect(signedFields(fieldRanges(bytes, { start: 0, end: bytes.length }), ['x'], -1).length).toBeLessThanOrEqual(
        1,
      );
    }
  });
});
