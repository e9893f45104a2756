import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildHashTable, lookUp, parseHashList } from './hash-list.js';

const sum = (text: string): string => createHash('sha256').update(text).digest('hex');
const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

describe('a list of SHA-256 sums', () => {
  it('takes sums with and without names, as sha256sum writes them, comments, blank lines and CRLF', () => {
    const text = [
      '\uFEFF# our list',
      '',
      `${sum('a')}  Trojan.A  # seen in March`,
      `${sum('b').toUpperCase()} *b.exe`,
      `\t${sum('c')}`,
    ].join('\r\n');
    expect(parseHashList(text, 'lists/x.txt')).toEqual({
      entries: [
        { digest: sum('a'), name: 'Trojan.A' },
        { digest: sum('b'), name: 'b.exe' },
        { digest: sum('c'), name: '' },
      ],
      problems: [],
    });
  });

  it('says in which line and column something else stands', () => {
    const text = `${sum('a')} ok\n  ${'0'.repeat(32)} md5\n${'z'.repeat(64)}\n`;
    const { problems } = parseHashList(text, 'lists/x.txt');
    expect(problems.map((p) => [p.place?.file, p.place?.line, p.place?.column, p.message])).toEqual([
      ['lists/x.txt', 2, 3, 'a SHA-256 sum has 64 digits, this has 32, it looks like MD5'],
      ['lists/x.txt', 3, 1, `"${'z'.repeat(64)}" is not a SHA-256 sum`],
    ]);
  });

  it('does not list a thousand problems', () => {
    expect(parseHashList('nonsense\n'.repeat(1000), 'x').problems.length).toBe(20);
  });

  it('finds every sum that it was made of, and no other', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string(), { maxLength: 50 }), fc.string(), (listed, other) => {
        const table = buildHashTable(listed.map((text, i) => ({ digest: sum(text), name: `n${i % 3}` })));
        for (const [i, text] of listed.entries()) expect(lookUp(table, digest(text))).toBe(`n${i % 3}`);
        if (!listed.includes(other)) expect(lookUp(table, digest(other))).toBeUndefined();
      }),
    );
  });

  it('names an entry without a name by its sum, and takes the first of two names', () => {
    const table = buildHashTable([
      { digest: sum('a'), name: '' },
      { digest: sum('b'), name: 'First' },
      { digest: sum('b'), name: 'Second' },
    ]);
    expect(lookUp(table, digest('a'))).toBe(`sha256-${sum('a').slice(0, 16)}`);
    expect(lookUp(table, digest('b'))).toBe('First');
  });

  it('is shared by threads, not copied', () => {
    const table = buildHashTable([{ digest: sum('a'), name: 'x' }]);
    const received = structuredClone(table);
    expect(received.digests.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(lookUp(received, digest('a'))).toBe('x');
  });
});
