import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressKey, listTakes, parseUrlList, type UrlList } from './url-list.js';
import { HashSetBuilder, hashSetHas } from './url-hash.js';

async function listOf(...lines: readonly string[]): Promise<UrlList> {
  const { hashes, entries } = await parseUrlList(lines.join('\n'), 'list.txt');
  return { name: 'list.txt', hashes, entries, modified: 0 };
}

function takes(list: UrlList, url: string): boolean {
  return listTakes(list, new URL(url).hostname.replace(/^\[|\]$/g, ''), url);
}

describe('a list of blocked hosts and addresses', () => {
  it.each<[string, string, boolean]>([
    ['evil.test', 'https://evil.test/x', true],
    ['evil.test', 'https://www.evil.test/x', true],
    ['evil.test', 'https://notevil.test/x', false],
    ['evil.test', 'https://evil.test.good.test/x', false],
    ['www.evil.test', 'https://evil.test/', false],
    ['EVIL.test', 'http://evil.test/', true],
    ['\ufeffevil.test', 'http://evil.test/', true],
    ['  evil.test  # since May', 'http://evil.test/', true],
    ['0.0.0.0 evil.test', 'http://evil.test/', true],
    ['127.0.0.1\tevil.test other.test # x', 'http://other.test/', true],
    ['::1 evil.test', 'http://evil.test/', true],
    ['||evil.test^', 'http://a.evil.test/', true],
    ['*.evil.test', 'http://a.evil.test/', true],
    ['.evil.test', 'http://evil.test/', true],
    ['b\u00fccher.test', 'http://xn--bcher-kva.test/', true],
    ['198.51.100.7', 'http://198.51.100.7/x', true],
    ['2001:db8::7', 'http://[2001:db8::7]/x', true],
    ['http://evil.test/', 'https://sub.evil.test/any', true],
    ['http://host.test/bad/page', 'https://host.test/bad/page', true],
    ['http://host.test/bad/page', 'https://host.test/bad/page?session=1#x', true],
    ['http://host.test/bad/page', 'https://host.test/good', false],
    ['http://host.test/bad?id=1', 'http://host.test/bad?id=1', true],
    ['http://host.test/bad?id=1', 'http://host.test/bad?id=2', false],
    ['HTTP://Host.Test:80/bad', 'http://host.test/bad', true],
    ['host.test/bad', 'http://host.test/bad', true],
    ['http://host.test/bad#part', 'http://host.test/bad', true],
    ['# evil.test', 'http://evil.test/', false],
    ['127.0.0.1 localhost', 'http://localhost/', false],
  ])('%s takes %s: %s', async (line, url, expected) => {
    expect(takes(await listOf(line), url)).toBe(expected);
  });

  it('warns of lines that are none, with their place, and goes on', async () => {
    const { problems, entries } = await parseUrlList(
      'evil.test\nthis is no host\ncom\nco.uk\nhttp://\nlocalhost\n\n; c\n! c\nother.test\n',
      'lists/phishing.txt',
    );
    expect(entries).toBe(2);
    expect(
      problems.map(({ severity, place, message }) => `${severity} ${place?.file}:${place?.line} ${message}`),
    ).toEqual([
      'warning lists/phishing.txt:2 "this ..." is no host, domain or address',
      'warning lists/phishing.txt:3 "com" is no host, domain or address',
      'warning lists/phishing.txt:4 "co.uk" would take all domains under it',
      'warning lists/phishing.txt:5 "http://" is no address',
    ]);
  });

  it('that names nothing is an error', async () => {
    const { problems } = await parseUrlList('what is this?\n'.repeat(100), 'a.txt');
    expect(problems.filter(({ severity }) => severity === 'error')).toHaveLength(1);
    expect(problems.length).toBeLessThan(15);
    expect((await parseUrlList('# nothing yet\n', 'a.txt')).problems).toEqual([]);
  });

  it('of a million lines is read within seconds, and takes eight bytes a line', async () => {
    const lines = Array.from({ length: 1_000_000 }, (_, i) => `host${i}.evil${i % 977}.test`).join('\n');
    const started = performance.now();
    const { hashes, entries } = await parseUrlList(lines, 'a.txt');
    expect(performance.now() - started).toBeLessThan(15_000);
    expect(entries).toBe(1_000_000);
    expect(hashes.byteLength).toBe(8_000_000);
    expect(hashSetHas(hashes, 'host999999.evil528.test')).toBe(true);
    expect(hashSetHas(hashes, 'host999999.evil529.test')).toBe(false);
  });

  it('survives any line', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string({ unit: 'binary', maxLength: 40 }), { maxLength: 20 }), async (lines) => {
        const { entries } = await parseUrlList(lines.join('\n'), 'a.txt');
        expect(entries).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});

it('the set has what was added, and nothing else', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string(), { maxLength: 300 }), fc.array(fc.string()), (added, others) => {
      const builder = new HashSetBuilder();
      for (const text of added) builder.add(text);
      const set = builder.build();
      for (const text of added) expect(hashSetHas(set, text)).toBe(true);
      for (const text of others) expect(hashSetHas(set, text)).toBe(added.includes(text));
    }),
  );
});

it('the key of an address has neither scheme nor user nor fragment', () => {
  expect(addressKey('https://a:b@evil.test:8080/x@y?z=1#f')).toBe('evil.test:8080/x@y?z=1');
});
