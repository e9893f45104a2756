import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePath } from './address.js';
import { protocol, receivedField, type Hop } from './received.js';
import { replyLines, replyText } from './reply.js';

const hop: Hop = {
  helo: 'client.example.net',
  client: '192.0.2.1',
  hostname: 'mx.example.org',
  extended: true,
  tls: false,
  authenticated: false,
  smtpUtf8: false,
  id: '01J00000000000000000000000',
  recipients: ['b@example.org'],
  time: Date.UTC(2026, 10, 1, 8, 5, 9, 999),
};

describe('the Received field', () => {
  it('is folded and ends in CRLF', () => {
    expect(receivedField(hop)).toBe(
      'Received: from client.example.net ([192.0.2.1])\r\n\tby mx.example.org with ESMTP\r\n' +
        '\tid 01J00000000000000000000000\r\n\tfor <b@example.org>;\r\n\tSun, 01 Nov 2026 08:05:09 +0000\r\n',
    );
  });

  it('names no recipient when there are several', () => {
    expect(receivedField({ ...hop, recipients: ['b@example.org', 'c@example.org'] })).not.toContain('example.org>');
  });

  it('names a recipient with a domain beyond ASCII in A-labels, and none with such a local part', () => {
    expect(receivedField({ ...hop, recipients: ['b@bücher.example'] })).toContain('\tfor <b@xn--bcher-kva.example>;');
    expect(receivedField({ ...hop, smtpUtf8: true, recipients: ['käthe@example.org'] })).not.toContain('for');
  });

  it('is printable ASCII in lines that are its own, whatever address was taken', () => {
    const character = fc.oneof(
      fc.constantFrom('\u010a', '\u010d', '\u4e0a', '\u4e0d', '\u2028', '"', '\\', ' ', '.', '%'),
      fc.string({ unit: 'grapheme', maxLength: 1 }),
    );
    const local = fc.array(character, { minLength: 1, maxLength: 20 }).map((all) => all.join(''));
    fc.assert(
      fc.property(local, fc.boolean(), fc.constantFrom('example.org', 'bücher.example'), (text, quoted, domain) => {
        const address = parsePath(`<${quoted ? `"${text}"` : text}@${domain}>`, 0)?.address;
        if (address === undefined) return;
        expect(receivedField({ ...hop, smtpUtf8: true, recipients: [address] })).toMatch(
          /^Received: [ -~]+\r\n(?:\t[ -~]+\r\n){3,4}$/,
        );
      }),
    );
  });

  it.each([
    ['[192.0.2.1]', '[192.0.2.1]'],
    ['a(b);c\r\nX-Evil:1', 'a?b??c??X-Evil:1'],
    ['[evil)]', '?evil??'],
    ['', 'unknown'],
  ])('makes %j into %j', (helo, shown) => {
    expect(receivedField({ ...hop, helo })).toContain(`from ${shown} (`);
  });

  it.each([
    [{ extended: false, tls: true, authenticated: true, smtpUtf8: false }, 'SMTP'],
    [{ extended: true, tls: true, authenticated: false, smtpUtf8: false }, 'ESMTPS'],
    [{ extended: true, tls: false, authenticated: true, smtpUtf8: false }, 'ESMTPA'],
    [{ extended: true, tls: true, authenticated: true, smtpUtf8: true }, 'UTF8SMTPSA'],
  ])('names the protocol of %j: %s', (session, name) => {
    expect(protocol(session)).toBe(name);
  });
});

describe('a reply', () => {
  it('has one line, cleaned, with an enhanced code of its class', () => {
    expect(replyLines({ code: 550, enhanced: '5.7.1', text: 'a\r\n b\0c' }, false)).toBe('5.7.1 a b c');
    expect(replyLines({ code: 451, enhanced: '5.7.1', text: 'x' }, false)).toBe('4.0.0 x');
    expect(replyLines({ code: 550, enhanced: 'evil', text: 'ü€😀' }, false)).toBe('5.0.0 ???');
    expect(replyLines({ code: 550, enhanced: '5.7.1', text: 'ü€😀' }, true)).toBe('5.7.1 ü€😀');
  });

  it('is broken into lines of 512 octets, each with the code', () => {
    const lines = replyLines({ code: 550, enhanced: '5.7.1', text: 'word '.repeat(300) }, false);
    const text = replyText(550, '', lines);
    const wire = text.split('\r\n').slice(0, -1);
    expect(wire.length).toBeGreaterThan(2);
    for (const line of wire) expect(line.length).toBeLessThanOrEqual(510);
    expect(wire.slice(0, -1).every((line) => line.startsWith('550-5.7.1 '))).toBe(true);
    expect(wire.at(-1)).toMatch(/^550 5\.7\.1 /);
    expect(wire.map((line) => line.slice(10)).join('')).toBe(' word'.repeat(300).trim());
  });

  it('never holds another', () => {
    expect(replyText(500, '5.5.2', 'a\r\n250 ok')).toBe('500 5.5.2 a  250 ok\r\n');
    expect(replyText(250, '', ['a', 'b\n'])).toBe('250-a\r\n250 b \r\n');
  });
});
