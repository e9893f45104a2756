import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expand, expandDomain, parseDomainSpec, parseMacroString } from './macro.js';
import { isSpfRecord, parseSpfRecord } from './record.js';
import { SpfSyntaxError } from './types.js';

const question = {
  ip: '192.0.2.3',
  sender: { local: 'strong-bad', domain: 'email.example.com' },
  helo: 'mail.example.com',
};

async function expanded(text: string, ip = question.ip): Promise<string> {
  return await expand(parseMacroString(text), 'email.example.com', { ...question, ip }, () =>
    Promise.resolve('unknown'),
  );
}

describe('macros', () => {
  // The table of RFC 7208 7.4.
  it.each([
    ['%{s}', 'strong-bad@email.example.com'],
    ['%{o}', 'email.example.com'],
    ['%{d}', 'email.example.com'],
    ['%{d4}', 'email.example.com'],
    ['%{d3}', 'email.example.com'],
    ['%{d2}', 'example.com'],
    ['%{d1}', 'com'],
    ['%{dr}', 'com.example.email'],
    ['%{d2r}', 'example.email'],
    ['%{l}', 'strong-bad'],
    ['%{l-}', 'strong.bad'],
    ['%{lr}', 'strong-bad'],
    ['%{lr-}', 'bad.strong'],
    ['%{l1r-}', 'strong'],
    ['%{ir}.%{v}._spf.%{d2}', '3.2.0.192.in-addr._spf.example.com'],
    ['%{lr-}.lp._spf.%{d2}', 'bad.strong.lp._spf.example.com'],
    ['%{lr-}.lp.%{ir}.%{v}._spf.%{d2}', 'bad.strong.lp.3.2.0.192.in-addr._spf.example.com'],
    ['%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}', '3.2.0.192.in-addr.strong.lp._spf.example.com'],
    ['%{d2}.trusted-domains.example.net', 'example.com.trusted-domains.example.net'],
    ['%%-%_-%-', '%- -%20'],
    ['%{S}', 'strong-bad%40email.example.com'],
  ])('%s is %s', async (text, value) => {
    expect(await expanded(text)).toBe(value);
  });

  it('writes an IPv6 address as nibbles', async () => {
    expect(await expanded('%{ir}.%{v}._spf.%{d2}', '2001:db8::cb01')).toBe(
      '1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com',
    );
  });

  it('makes names of at most 253 characters', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 40 }), async (times) => {
        const parts = parseDomainSpec(`${'%{d}.'.repeat(times)}example.org`);
        const name = await expandDomain(parts, 'email.example.com', question, () => Promise.resolve('unknown'));
        expect(name.length).toBeLessThanOrEqual(253);
        expect(name.endsWith('example.org')).toBe(true);
      }),
    );
  });
});

it('any text is a record or a syntax error', () => {
  const term = fc.oneof(
    fc.string({ maxLength: 20 }),
    fc.constantFrom('a', 'mx/24', '-all', 'ip4:', 'include:%{d}', 'redirect=', 'exists:%{i', 'ptr:x.example', 'a//0'),
  );
  fc.assert(
    fc.property(fc.array(term, { maxLength: 8 }), (terms) => {
      const text = `v=spf1 ${terms.join(' ')}`;
      expect(isSpfRecord(text)).toBe(true);
      try {
        parseSpfRecord(text);
      } catch (error) {
        expect(error).toBeInstanceOf(SpfSyntaxError);
      }
    }),
  );
});
