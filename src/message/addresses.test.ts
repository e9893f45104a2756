import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITS, mail } from '../../test/message/mail.js';
import { parseAddresses, readAddressList } from './addresses.js';
import { readMessage } from './read.js';

function addressesOf(text: string): string[] {
  return parseAddresses(text).map(({ address }) => address);
}

describe('addresses with white space and comments (RFC 5322 3.4, 4.4)', () => {
  it.each([
    'Boss <boss@ example.org>',
    'Boss <boss @ example . org>',
    'Boss < boss@example.org >',
    'boss @ example.org',
    'boss(the boss)@example.org',
    'Boss <boss@exa(c)mple.org>',
    'Boss <(x) boss (y (z)) @ (>) example.org>',
    'Boss <boss@\t example.org>',
    '<@a.example , @b.example : boss@example.org>',
  ])('%s', (text) => {
    expect(readAddressList(text)).toMatchObject({ list: [{ address: 'boss@example.org' }], malformed: false });
  });

  it('are read over several lines', () => {
    const message = readMessage(mail('From: Boss', ' <boss@', ' example.org>', '', 'x'), LIMITS);
    expect(message.addresses('from')).toEqual([{ address: 'boss@example.org', name: 'Boss' }]);
    expect(message.anomalies).toEqual([]);
  });

  it.each([
    ['"quoted local" (x) @ x', '"quoted local"@x'],
    ['"joe" . b@[ 192.0.2.1 ]', '"joe".b@[192.0.2.1]'],
    ['A <"a>b, <c@d>"@x>', '"a>b, <c@d>"@x'],
    ['J. R. Smith <j@x>', 'j@x'],
  ])('%s', (text, address) => {
    expect(addressesOf(text)).toEqual([address]);
  });
});

describe('addresses that clients read in several ways', () => {
  it.each<[string, string[]]>([
    ['Boss <boss@example.org> <x@evil.example>', ['boss@example.org', 'x@evil.example']],
    ['Boss <x@evil.example> boss@example.org', ['x@evil.example', 'boss@example.org']],
    ['Boss <<boss@example.org>>', ['boss@example.org']],
    ['Boss <x@evil.example <boss@example.org>', ['x@evil.example', 'boss@example.org']],
    ['Boss <boss@example.org, x@evil.example>', ['boss@example.org', 'x@evil.example']],
    ['Boss <boss@example.org', ['boss@example.org']],
    ['boss@example.org <>', ['boss@example.org']],
    ['"boss@example.org" <>', ['boss@example.org']],
    ['boss@example.org x@evil.example', ['boss@example.org', 'x@evil.example']],
    ['<boss@exa mple.org>', ['boss@exa', 'boss@example.org']],
    ['"Boss <boss@example.org>', ['boss@example.org']],
    ['(( <boss(c)@example.org>', ['boss@example.org']],
    ['=?utf-8?Q?Boss_=3Cboss=40example.org=3E?=', ['boss@example.org']],
    ['=?utf-8?B?PGJvc3NAZXhhbXBsZS5vcmc+?=, <x@evil.example>', ['boss@example.org', 'x@evil.example']],
    ['a@b@c', ['a@b@c']],
    ['Name <MAILER-DAEMON>', ['MAILER-DAEMON']],
    ['boss@example.org.', ['boss@example.org.']],
    ['Name', ['']],
    ['', []],
  ])('%s', (text, addresses) => {
    expect(addressesOf(text)).toEqual(addresses);
    const message = readMessage(mail(`From: ${text}`, '', 'x'), LIMITS);
    const names = message.anomalies.map(({ name }) => name);
    expect(names).toContain('malformed-from');
    expect(names.includes('multiple-from')).toBe(addresses.length > 1);
  });

  it.each(['a@b', '"A, B" <a@b>', 'a@b <a@b>', 'Jürgen <j@müller.example>', 'a..b.@x.example', 'A <a@[IPv6:::1]>'])(
    '%s is well-formed',
    (text) => {
      expect(readAddressList(text)).toMatchObject({ malformed: false });
      expect(parseAddresses(text)).toHaveLength(1);
    },
  );
});

describe('reading addresses', () => {
  const gap = fc
    .array(fc.constantFrom(' ', '\t', '  ', '(c)', '(a (b) c@d)', '(\\))', '(,<x>")'), { maxLength: 4 })
    .map((pieces) => pieces.join(''));
  const labels = fc.array(fc.stringMatching(/^[a-z0-9-]{1,8}$/), { minLength: 1, maxLength: 4 });

  it('gives the same with white space and comments around "@" and dots', () => {
    fc.assert(
      fc.property(labels, labels, fc.infiniteStream(gap), fc.boolean(), (local, domain, gaps, inBrackets) => {
        const next = (): string => String(gaps.next().value ?? '');
        const wide = (words: readonly string[]): string => words.map((word) => next() + word + next()).join('.');
        const text = `${wide(local)}@${wide(domain)}`;
        const found = readAddressList(inBrackets ? `A. Name <${text}>` : text);
        expect(found.list.map(({ address }) => address)).toEqual([`${local.join('.')}@${domain.join('.')}`]);
        expect(found.malformed).toBe(false);
      }),
      { numRuns: 1000 },
    );
  });

  it('never throws, and finds every "<a@b>" that stands outside of quotes and comments', () => {
    const piece = fc.constantFrom(...Array.from('"()<>@,;:.[]\\ \t='), 'a', 'é', '=?utf-8?q?=40_=3C?=', '\0');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const found = readAddressList(pieces.join(''));
        for (const { address, name } of found.list) expect(typeof address + typeof name).toBe('stringstring');
        const plain = pieces.filter((text) => !'"()\\'.includes(text)).join('');
        expect(addressesOf(`${plain}<boss@example.org>`)).toContain('boss@example.org');
      }),
      { numRuns: 3000 },
    );
  });

  it('is linear', () => {
    const pieces = ['a@b, ', '"', '<', '(', 'x:', '\\"<(', '@[', '@[ ', '(a) ', '. ', 'a@b ', '<a@b>', '( \\(', 'a(']
      .concat(['"a" (', '=?utf-8?q?@?= ', '.', '@', '\\', '>', 'a (x) ', 'a@b:', '[', '"a"', 'a <', '<@', '<@:'])
      .concat(['" \\" ']);
    const start = performance.now();
    for (const piece of pieces) readAddressList(piece.repeat(250_000 / piece.length));
    expect(performance.now() - start).toBeLessThan(30_000);
  }, 60_000);
});
