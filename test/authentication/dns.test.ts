import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { authentication, createAuthentication } from '../../src/detectors/authentication/authentication.js';
import { boundedDns, CachingDns, DnsFailure } from '../../src/detectors/authentication/dns.js';
import { FakeDns } from '../support/fake-dns.js';
import { authenticate } from './authenticate.js';

let server: FakeDns;
let dns: CachingDns;
let now = 0;

beforeEach(async () => {
  now = 1_000_000;
  server = await FakeDns.start({
    'a.example': { A: ['192.0.2.1', '192.0.2.2'], TXT: ['x'], ttl: 30 },
    'stalls.example': { silent: true },
    'fails.example': { rcode: 'SERVFAIL' },
    'babbles.example': { garbage: true },
  });
  dns = new CachingDns([server.address], () => now);
});

afterEach(async () => {
  dns.close();
  await server.close();
});

describe('answers', () => {
  it('are remembered for their time', async () => {
    for (let i = 0; i < 3; i++) expect(await dns.addresses('a.example', 4)).toEqual(['192.0.2.1', '192.0.2.2']);
    expect(server.queries).toHaveLength(1);
    now += 29_000;
    await dns.addresses('A.example', 4);
    expect(server.queries).toHaveLength(1);
    now += 2_000;
    await dns.addresses('a.example', 4);
    expect(server.queries).toHaveLength(2);
  });

  it('that there is nothing are remembered for a minute', async () => {
    expect(await dns.txt('none.example')).toEqual([]);
    expect(await dns.txt('none.example')).toEqual([]);
    expect(server.queries).toHaveLength(1);
    now += 61_000;
    server.set('none.example', { TXT: ['now'] });
    expect(await dns.txt('none.example')).toEqual(['now']);
  });

  it('are not mixed up by type', async () => {
    expect(await dns.txt('a.example')).toEqual(['x']);
    expect(await dns.addresses('a.example', 6)).toEqual([]);
    expect(await dns.mx('a.example')).toEqual([]);
    expect(await dns.ptr('a.example')).toEqual([]);
  });

  it('that are asked for at the same time are asked for once', async () => {
    await Promise.all(Array.from({ length: 5 }, async () => await dns.txt('a.example')));
    expect(server.queries).toHaveLength(1);
  });

  it('that fail are failures, and asked for again', async () => {
    await expect(dns.txt('fails.example')).rejects.toThrow(DnsFailure);
    server.set('fails.example', { TXT: ['better'] });
    expect(await dns.txt('fails.example')).toEqual(['better']);
  });
});

describe('bounds of one message', () => {
  const signal = new AbortController().signal;

  it('end look-ups that stall', async () => {
    const bounded = boundedDns(dns, { milliseconds: 50, lookups: 10, signal });
    await expect(bounded.txt('stalls.example')).rejects.toThrow(DnsFailure);
    await expect(bounded.txt('a.example')).rejects.toThrow('the time for look-ups is over');
  });

  it('end too many', async () => {
    const bounded = boundedDns(dns, { milliseconds: 5_000, lookups: 2, signal });
    await bounded.txt('a.example');
    await bounded.txt('a.example');
    await expect(bounded.txt('a.example')).rejects.toThrow(DnsFailure);
  });
});

it.each(['silent', 'garbage'] as const)('a DNS that is %s makes a temperror, in time', async (how) => {
  const trouble = { [how]: true };
  const started = performance.now();
  const said = await authenticate({
    message: 'From: a@example.com\r\n\r\nHello\r\n',
    zone: { 'example.com': trouble, '_dmarc.example.com': trouble },
    timeout: 1500,
  });
  expect(performance.now() - started).toBeLessThan(1500);
  expect([said['spf']?.name, said['dkim']?.name, said['dmarc']?.name]).toEqual(['temperror', 'none', 'temperror']);
});

describe('health', () => {
  const signal = AbortSignal.timeout(10_000);

  it('is good when a server answers, whatever it says', async () => {
    await expect(createAuthentication([server.address]).health?.(signal)).resolves.toBeUndefined();
  });

  it('is bad when none does', async () => {
    const address = server.address;
    await server.close();
    const detector = createAuthentication([address]);
    await expect(detector.health?.(AbortSignal.timeout(300))).rejects.toThrow('the DNS does not answer');
    server = await FakeDns.start();
  });
});

it.each([
  ['127.0.0.1', true],
  ['127.0.0.1:5353', true],
  ['[::1]:53', true],
  ['::1', true],
  ['dns.example.org', false],
  ['127.0.0.1:0', false],
  ['127.0.0.1:66000', false],
  ['999.0.0.1', false],
  ['', false],
])('%j as a server: %s', (text, good) => {
  expect(authentication.settings.safeParse({ dns: [text] }).success).toBe(good);
  expect(authentication.settings.safeParse({ dns: text }).success).toBe(good);
});
