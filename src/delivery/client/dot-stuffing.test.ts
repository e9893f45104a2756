import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DotStuffing } from './dot-stuffing.js';

/** What a server makes of it (RFC 5321 4.5.2). */
function received(sent: string): string {
  expect(sent.endsWith('\r\n.\r\n') || sent === '.\r\n').toBe(true);
  const data = sent.slice(0, -3);
  expect(`\r\n${data}`.includes('\r\n.\r\n')).toBe(false);
  return `\r\n${data}`.replaceAll('\r\n.', '\r\n').slice(2);
}

test('a server reads back what was given, however it is cut', () => {
  const canonical = fc.array(fc.constantFrom('.', '..', 'a', '\r\n', '\r\n.\r\n', ''), { maxLength: 30 });
  fc.assert(
    fc.property(canonical, fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1 }), (parts, cuts) => {
      const text = parts.join('');
      const stuffing = new DotStuffing();
      let sent = '';
      for (let at = 0, turn = 0; at < text.length; turn += 1) {
        const length = cuts[turn % cuts.length] ?? 1;
        sent += Buffer.concat(stuffing.pieces(Buffer.from(text.slice(at, at + length)))).toString();
        at += length;
      }
      sent += stuffing.end().toString();
      expect(received(sent)).toBe(text === '' || text.endsWith('\r\n') ? text : `${text}\r\n`);
    }),
  );
});
