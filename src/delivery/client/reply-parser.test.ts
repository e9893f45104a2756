import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ProtocolError, ReplyParser } from './reply-parser.js';

const text = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '-', '.', '5', '<', '>'), maxLength: 40 });
const reply = fc.record({
  code: fc.integer({ min: 200, max: 599 }),
  lines: fc.array(text, { minLength: 1, maxLength: 5 }),
});

test('replies come out as they were written, however they are cut', () => {
  fc.assert(
    fc.property(
      fc.array(reply, { maxLength: 5 }),
      fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 }),
      (replies, cuts) => {
        const bytes = Buffer.from(
          replies
            .map(({ code, lines }) =>
              lines.map((line, index) => `${code}${index === lines.length - 1 ? ' ' : '-'}${line}\r\n`).join(''),
            )
            .join(''),
        );
        const parser = new ReplyParser();
        const seen = [];
        for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
          const length = cuts[turn % cuts.length] ?? 1;
          seen.push(...parser.push(bytes.subarray(at, at + length)));
          at += length;
        }
        expect(seen).toEqual(replies);
        expect(parser.inside).toBe(false);
      },
    ),
  );
});

test('whatever a server sends gives replies or a ProtocolError, and never piles up', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 40 }), (chunks) => {
      const parser = new ReplyParser();
      try {
        for (const chunk of chunks) Array.from(parser.push(Buffer.from(chunk)));
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError);
      }
    }),
  );
});

test.each([
  ['a code out of range', '199 x\r\n'],
  ['four digits', '2500 x\r\n'],
  ['lines that differ in code', '250-x\r\n251 y\r\n'],
  ['a line without end', `250 ${'x'.repeat(5000)}`],
  ['a line that is too long', `250 ${'x'.repeat(5000)}\r\n`],
  ['too many lines', '250-x\r\n'.repeat(200)],
])('%s is refused', (_, sent) => {
  expect(() => [...new ReplyParser().push(Buffer.from(sent))]).toThrow(ProtocolError);
});

test('a bare code and a bare LF are taken', () => {
  expect([...new ReplyParser().push(Buffer.from('250\n354 go\n'))]).toEqual([
    { code: 250, lines: [''] },
    { code: 354, lines: ['go'] },
  ]);
});
