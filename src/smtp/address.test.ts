import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalDomain } from '../message/ascii.js';
import { parsePath } from './address.js';

const local64 = 'l'.repeat(64);
const label63 = 'd'.repeat(63);

describe('a path', () => {
  it.each([
    ['<>', ''],
    ['<a@b.example>', 'a@b.example'],
    ['<A.b+c=d@B.Example>', 'A.b+c=d@B.Example'],
    ["<!#$%&'*+-/=?^_`{|}~@b>", "!#$%&'*+-/=?^_`{|}~@b"],
    ['<"a b"@b.example>', '"a b"@b.example'],
    ['<"a\\"@>b"@b.example>', '"a\\"@>b"@b.example'],
    ['<"a"@b.example>', 'a@b.example'],
    ['<"\\a"@b.example> NOTIFY=NEVER', 'a@b.example'],
    ['<"a.b"@b.example>', 'a.b@b.example'],
    ['<"a."@b.example>', '"a."@b.example'],
    ['<""@b.example>', '""@b.example'],
    ['<"a\\ b"@b.example>', '"a b"@b.example'],
    ['<"käthe"@bücher.example>', 'käthe@bücher.example'],
    ['<@x.example:"a"@b.example>', 'a@b.example'],
    ['<"a"@BÜCHER.Example>', 'a@BÜCHER.Example'],
    ['<@x.example,@y.example:a@b.example>', 'a@b.example'],
    ['<a@[192.0.2.1]>', 'a@[192.0.2.1]'],
    ['<a@[IPv6:2001:db8::1]>', 'a@[IPv6:2001:db8::1]'],
    ['<postmaster>', 'postmaster'],
    ['<PostMaster> NOTIFY=NEVER', 'PostMaster'],
    ['<käthe@bücher.example>', 'käthe@bücher.example'],
    ['<用户@例え.jp>', '用户@例え.jp'],
    ['<a@BÜCHER.Example>', 'a@BÜCHER.Example'],
    ['<a@straße.example>', 'a@straße.example'],
    ['<a@xn--bcher-kva.example>', 'a@xn--bcher-kva.example'],
    [`<${local64}@b.example>`, `${local64}@b.example`],
    [`<a@${label63}.${label63}.${label63}>`, `a@${label63}.${label63}.${label63}`],
  ])('%s is taken', (text, address) => {
    expect(parsePath(text, 0)?.address).toBe(address);
  });

  it.each([
    '',
    'a@b.example',
    '<a@b.example',
    '<a>',
    '<@>',
    '<a@>',
    '<@b.example>',
    '<.a@b>',
    '<a.@b>',
    '<a..b@c>',
    '<a b@c>',
    '<a@b c>',
    '<a@b@c>',
    '<"a@b>',
    '<"a"b@c>',
    '<"a\tb"@c>',
    '<a@-b.example>',
    '<a@b-.example>',
    '<a@b..example>',
    '<a@.b>',
    '<a@b.>',
    '<a@b_c.example>',
    '<a@[192.0.2]>',
    '<a@[IPv6:xyz]>',
    '<a@[192.0.2.1>',
    '<a@b\0>',
    '<a\r\nb@c>',
    '<a@\u200b>',
    // They would be example.org for a server that maps them.
    '<a@example。org>',
    '<a@example｡org>',
    '<a@ｅxample.org>',
    '<a@exam\u00adple.org>',
    '<a@example.org\u200b>',
    '<a@𝐞xample.org>',
    '<\ufffd@b>',
    `<${local64}l@b.example>`,
    `<a@${label63}d.example>`,
    `<a@${label63}.${label63}.${label63}.${label63}>`,
    `<${local64}@${label63}.${label63}.${label63}>`,
  ])('%j is not', (text) => {
    expect(parsePath(text, 0)).toBeUndefined();
  });

  it('never holds what would break a line or a pair of brackets, whatever comes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (text) => {
        const path = parsePath(`<${text}>`, 0);
        if (path === undefined) return;
        expect(path.address).not.toMatch(/[\x00-\x1f\x7f]/);
        expect(parsePath(`<${path.address}>`, 0)?.address).toBe(path.address);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a quoted local part', () => {
  const characters = fc.array(
    fc.tuple(fc.constantFrom(...['a', 'B', '.', '%', ' ', '"', '\\', '@', '!', 'ä', '用']), fc.boolean()),
    { maxLength: 8 },
  );

  it('is the same path in all its forms, and in the one that comes out', () => {
    fc.assert(
      fc.property(characters, (list) => {
        const needsPair = (c: string): boolean => c === '"' || c === '\\';
        const quoted = list.map(([c, pair]) => (needsPair(c) || (pair && c < '\x7f') ? `\\${c}` : c)).join('');
        const plain = list.map(([c]) => (needsPair(c) ? `\\${c}` : c)).join('');
        const end = `"${plain}"@b.example`;
        const path = parsePath(`<"${quoted}"@b.example>`, 0);
        expect(path).toBeDefined();
        expect(path?.address).toBe(parsePath(`<${end}>`, 0)?.address);
        const again = parsePath(`<${path?.address ?? ''}>`, 0);
        expect(again?.address).toBe(path?.address);
        expect(again?.nonAscii).toBe(path?.nonAscii);
        if (list.some(([c]) => c === '"')) return;
        const bare = parsePath(`<${list.map(([c]) => c).join('')}@b.example>`, 0);
        if (bare !== undefined) expect(path?.address).toBe(bare.address);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a domain', () => {
  it.each([
    ['Example.ORG', 'example.org'],
    ['BÜCHER.example', 'xn--bcher-kva.example'],
    ['XN--BCHER-KVA.example', 'xn--bcher-kva.example'],
    ['1.2.3', '1.2.3'],
  ])('%s is compared as %s', (domain, canonical) => {
    expect(canonicalDomain(domain)).toBe(canonical);
  });
});
