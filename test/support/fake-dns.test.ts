import { Resolver } from 'node:dns/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeDns } from './fake-dns.js';

describe('the fake DNS server', () => {
  let dns: FakeDns;
  let resolver: Resolver;

  beforeEach(async () => {
    dns = await FakeDns.start({
      'example.org': {
        A: ['192.0.2.1', '192.0.2.2'],
        AAAA: ['2001:db8::1'],
        TXT: ['v=spf1 -all', ['two ', 'strings'], 'x'.repeat(300)],
        MX: [{ exchange: 'mx.example.org', priority: 10 }],
      },
      '1.2.0.192.in-addr.arpa': { PTR: ['mail.example.org'] },
      'alias.example.org': { CNAME: 'example.org' },
      '*.wild.example.org': { A: ['192.0.2.9'] },
      'broken.example.org': { rcode: 'SERVFAIL' },
      'silent.example.org': { silent: true },
      'garbage.example.org': { garbage: true },
      'cut.example.org': { TXT: ['over TCP'], truncated: true },
      'long.example.org': { TXT: Array.from({ length: 20 }, (_, i) => `${i}`.padEnd(200, 'x')) },
      'half.example.org': { A: ['192.0.2.3'], TXT: ['text'], rcode: 'SERVFAIL', only: 'TXT' },
      'late.example.org': { A: ['192.0.2.4'], delay: 20 },
    });
    resolver = new Resolver({ timeout: 200, tries: 1 });
    resolver.setServers([dns.address]);
  });

  afterEach(async () => {
    resolver.cancel();
    await dns.close();
  });

  it('answers with the records of its zone', async () => {
    expect(await resolver.resolve4('Example.ORG')).toEqual(['192.0.2.1', '192.0.2.2']);
    expect(await resolver.resolve6('example.org')).toEqual(['2001:db8::1']);
    expect((await resolver.resolveTxt('example.org')).map((strings) => strings.join(''))).toEqual([
      'v=spf1 -all',
      'two strings',
      'x'.repeat(300),
    ]);
    expect(await resolver.resolveMx('example.org')).toEqual([{ exchange: 'mx.example.org', priority: 10 }]);
    expect(await resolver.reverse('192.0.2.1')).toEqual(['mail.example.org']);
    expect(await resolver.resolveCname('alias.example.org')).toEqual(['example.org']);
    expect(await resolver.resolve4('alias.example.org')).toEqual(['192.0.2.1', '192.0.2.2']);
    expect(await resolver.resolve4('a.b.wild.example.org')).toEqual(['192.0.2.9']);
    expect(await resolver.resolve4('late.example.org')).toEqual(['192.0.2.4']);
  });

  it('tells a name that does not exist from one without data', async () => {
    await expect(resolver.resolve4('none.example.net')).rejects.toMatchObject({ code: 'ENOTFOUND' });
    await expect(resolver.resolve4('1.2.0.192.in-addr.arpa')).rejects.toMatchObject({ code: 'ENODATA' });
    await expect(resolver.resolve4('wild.example.org')).rejects.toMatchObject({ code: 'ENODATA' });
  });

  it('fails, is silent, and answers garbage, as told', async () => {
    await expect(resolver.resolve4('broken.example.org')).rejects.toMatchObject({ code: 'ESERVFAIL' });
    await expect(resolver.resolve4('silent.example.org')).rejects.toMatchObject({ code: 'ETIMEOUT' });
    await expect(resolver.resolve4('garbage.example.org')).rejects.toThrow();
    await expect(resolver.resolveTxt('half.example.org')).rejects.toMatchObject({ code: 'ESERVFAIL' });
    expect(await resolver.resolve4('half.example.org')).toEqual(['192.0.2.3']);
  });

  it('has long answers fetched over TCP', async () => {
    expect(await resolver.resolveTxt('cut.example.org')).toEqual([['over TCP']]);
    expect(await resolver.resolveTxt('long.example.org')).toHaveLength(20);
    expect(dns.queries.filter(({ transport }) => transport === 'tcp').map(({ name }) => name)).toEqual([
      'cut.example.org',
      'long.example.org',
    ]);
  });

  it('takes changes while it runs', async () => {
    dns.set('new.example.org', { A: ['192.0.2.8'] });
    expect(await resolver.resolve4('new.example.org')).toEqual(['192.0.2.8']);
    dns.delete('new.example.org');
    await expect(resolver.resolve4('new.example.org')).rejects.toMatchObject({ code: 'ENOTFOUND' });
  });
});
