import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonbArray, toJsonb, toText } from './json.js';

describe('JSON for PostgreSQL', () => {
  it('replaces NUL and lone surrogates, and nothing else', () => {
    expect(JSON.parse(toJsonb({ 'k\0': 'a\0b \ud800 \udc00 \u{1f600}' }))).toEqual({
      'k\ufffd': 'a\ufffdb \ufffd \ufffd \u{1f600}',
    });
    expect(JSON.parse(toJsonb('\\u0000 \\\\u0000 \\ud800 \x01 "'))).toBe('\\u0000 \\\\u0000 \\ud800 \x01 "');
  });

  it('holds for any text', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.array(fc.constantFrom('\\', 'u0000', '\0', '\ud800', '"')),
        (a, b) => {
          const text = a + b.join('');
          expect(JSON.parse(toJsonb(text))).toBe(text.toWellFormed().replaceAll('\0', '\ufffd'));
          expect(toText(text)).not.toContain('\0');
        },
      ),
    );
  });

  it('writes an array as the binary form of jsonb has it', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string({ unit: 'binary' }), fc.integer(), fc.constant(null))), (values) => {
        const bytes = jsonbArray(values.map(toJsonb));
        expect(bytes[0]).toBe(1);
        expect(bytes.toString('utf8', 1)).toBe(`[${values.map(toJsonb).join(',')}]`);
      }),
    );
  });
});
