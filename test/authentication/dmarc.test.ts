import { describe, expect, it } from 'vitest';
import type { Zone } from '../support/fake-dns.js';
import { authenticate, say, type Question } from './authenticate.js';
import { keyRecord, rsa, signed } from './sign.js';

const KEY = keyRecord(rsa.publicKey);
const REJECT = 'v=DMARC1; p=reject';

function mail(from: string): string {
  return `From: ${from}\r\nTo: b@example.org\r\nSubject: x\r\n\r\nHello\r\n`;
}

function signedBy(domain: string, from = 'a@example.com'): string {
  return signed(mail(from), { domain, selector: 's1', key: rsa.privateKey });
}

/** SPF passes for example.com and all below it; keys of example.com and m.example.com. */
function zone(dmarc: string | undefined, more: Zone = {}): Zone {
  return {
    'example.com': { TXT: ['v=spf1 ip4:192.0.2.10 -all'] },
    'm.example.com': { TXT: ['v=spf1 ip4:192.0.2.10 -all'] },
    's1._domainkey.example.com': { TXT: [KEY] },
    's1._domainkey.m.example.com': { TXT: [KEY] },
    ...(dmarc === undefined ? {} : { '_dmarc.example.com': { TXT: [dmarc] } }),
    ...more,
  };
}

async function dmarc(question: Question): Promise<string> {
  const { dmarc: finding } = await authenticate(question);
  return `${finding?.name ?? ''} ${finding?.policy ?? '-'}`;
}

/** A message of a client that SPF knows nothing of. */
const STRANGER = { client: '198.51.100.9', sender: 'x@elsewhere.example' };

describe('alignment (RFC 7489 3.1)', () => {
  it.each([
    ['DKIM of the same domain', { message: signedBy('example.com'), envelope: STRANGER }, 'r', 'pass'],
    ['DKIM of the same domain, strict', { message: signedBy('example.com'), envelope: STRANGER }, 's', 'pass'],
    ['DKIM of a subdomain', { message: signedBy('m.example.com'), envelope: STRANGER }, 'r', 'pass'],
    ['DKIM of a subdomain, strict', { message: signedBy('m.example.com'), envelope: STRANGER }, 's', 'fail'],
    ['SPF of the same domain', { message: mail('a@example.com') }, 'r', 'pass'],
    ['SPF of the same domain, strict', { message: mail('a@example.com') }, 's', 'pass'],
    ['SPF of a subdomain', { message: mail('a@example.com'), envelope: { sender: 'u@m.example.com' } }, 'r', 'pass'],
    [
      'SPF of a subdomain, strict',
      { message: mail('a@example.com'), envelope: { sender: 'u@m.example.com' } },
      's',
      'fail',
    ],
    [
      'the HELO name of the null sender',
      { message: mail('a@example.com'), envelope: { sender: '', helo: 'm.example.com' } },
      'r',
      'pass',
    ],
    ['neither', { message: mail('a@example.com'), envelope: STRANGER }, 'r', 'fail'],
  ] as const)('%s', async (_, question, mode, result) => {
    const given = zone(`${REJECT}; adkim=${mode}; aspf=${mode}`);
    expect(await dmarc({ ...question, zone: given })).toBe(`${result} reject`);
  });

  it('is not that of another domain under the same public suffix', async () => {
    const records: Zone = {
      'evil.co.uk': { TXT: ['v=spf1 +all'] },
      '_dmarc.bank.co.uk': { TXT: [REJECT] },
      '_dmarc.a.github.io': { TXT: [REJECT] },
      'b.github.io': { TXT: ['v=spf1 +all'] },
    };
    expect(await dmarc({ message: mail('a@bank.co.uk'), zone: records, envelope: { sender: 'x@evil.co.uk' } })).toBe(
      'fail reject',
    );
    expect(await dmarc({ message: mail('a@a.github.io'), zone: records, envelope: { sender: 'x@b.github.io' } })).toBe(
      'fail reject',
    );
  });

  it('is not that of a domain that only ends alike', async () => {
    const records = zone(REJECT, { 'notexample.com': { TXT: ['v=spf1 +all'] } });
    expect(
      await dmarc({ message: mail('a@example.com'), zone: records, envelope: { sender: 'x@notexample.com' } }),
    ).toBe('fail reject');
  });

  it('does not come from SPF that did not pass', async () => {
    for (const all of ['?all', '~all', '-all'])
      expect(
        await dmarc({
          message: mail('a@example.com'),
          zone: zone(REJECT, { 'example.com': { TXT: [`v=spf1 ${all}`] } }),
        }),
      ).toBe('fail reject');
  });
});

describe('the policy (RFC 7489 6.3, 6.6.3)', () => {
  const forged = { message: mail('a@example.com'), envelope: STRANGER };
  const below = { message: mail('a@x.m.example.com'), envelope: STRANGER };

  it.each([
    ['v=DMARC1; p=none', 'fail none'],
    ['v=DMARC1; p=quarantine', 'fail quarantine'],
    ['v=DMARC1;p=Reject;', 'fail reject'],
    ['v=DMARC1; p=reject; pct=0', 'fail quarantine'],
    ['v=DMARC1; p=quarantine; pct=0', 'fail none'],
    ['v=DMARC1; p=reject; pct=100', 'fail reject'],
    ['v=DMARC1; p=reject; pct=nonsense', 'fail reject'],
    ['v=DMARC1; p=maybe; rua=mailto:d@example.com', 'fail none'],
    ['v=DMARC1; p=maybe', 'none -'],
    ['v=DMARC1', 'none -'],
    ['v=DMARC2; p=reject', 'none -'],
    ['p=reject; v=DMARC1', 'none -'],
    ['v=dmarc1; p=reject', 'none -'],
    ['v=DMARC1 p=reject', 'none -'],
    ['v=DMARC1; p=reject pct=100', 'none -'],
    ['v=DMARC1; p=reject; sp=maybe', 'none -'],
    ['v=DMARC1; p=reject; sp=maybe; rua=mailto:d@example.com', 'fail none'],
  ])('%s', async (record, expected) => {
    expect(await dmarc({ ...forged, zone: zone(record) })).toBe(expected);
  });

  it.each([
    ['v=DMARC1; p=reject;;', 'fail reject'],
    ['v=DMARC1; p=reject; ;', 'fail reject'],
    ['v=DMARC1;; p=reject', 'fail reject'],
    ['v=DMARC1; p=reject; rua', 'fail reject'],
    ['v=DMARC1; rua; p=reject', 'fail reject'],
    ['v=DMARC1; p=reject; foo bar; pct=0', 'fail quarantine'],
    ['v=DMARC1; p=reject; foo bar=1', 'fail reject'],
    ['v=DMARC1; p=reject; rua=mailto:d@example.com; rua=mailto:e@example.com', 'fail reject'],
    ['v=DMARC1; p=reject; pct=0; pct=100', 'fail quarantine'],
    ['v=DMARC1; p=reject; p=none', 'fail reject'],
    ['v=DMARC1; p=reject; -x=1', 'fail reject'],
    ['v=DMARC1; p=reject; =1', 'fail reject'],
    ['v=DMARC1; p=reject; adkim=?; aspf', 'fail reject'],
  ])('is not spoilt by an error elsewhere in the record: %s', async (record, expected) => {
    expect(await dmarc({ ...forged, zone: zone(record) })).toBe(expected);
  });

  it.each([
    ['v=DMARC1; p=reject', 'fail reject'],
    ['v=DMARC1; p=reject; sp=none', 'fail none'],
    ['v=DMARC1; p=none; sp=reject', 'fail reject'],
    ['v=DMARC1; p=none; sp=maybe', 'none -'],
  ])('of the organizational domain for a subdomain: %s', async (record, expected) => {
    expect(await dmarc({ ...below, zone: zone(record) })).toBe(expected);
  });

  it('of the subdomain itself comes first', async () => {
    const own: Zone = { '_dmarc.x.m.example.com': { TXT: ['v=DMARC1; p=quarantine; sp=none'] } };
    expect(await dmarc({ ...below, zone: zone(REJECT, own) })).toBe('fail quarantine');
  });

  it('of a domain between is not asked for', async () => {
    const between: Zone = { '_dmarc.m.example.com': { TXT: ['v=DMARC1; p=none'] } };
    expect(await dmarc({ ...below, zone: zone(REJECT, between) })).toBe('fail reject');
  });

  it('is none where there are two records, and other texts do not matter', async () => {
    expect(await dmarc({ ...forged, zone: zone(undefined, { '_dmarc.example.com': { TXT: [REJECT, REJECT] } }) })).toBe(
      'none -',
    );
    expect(
      await dmarc({ ...forged, zone: zone(undefined, { '_dmarc.example.com': { TXT: ['hello', REJECT] } }) }),
    ).toBe('fail reject');
  });

  it('is the same for the same message where it holds for a share', async () => {
    const given = { ...forged, zone: zone('v=DMARC1; p=reject; pct=50') };
    const first = await dmarc(given);
    expect(await dmarc(given)).toBe(first);
    const all = await Promise.all(
      Array.from({ length: 30 }, async (_, i) => await dmarc({ ...given, message: `X-N: ${i}\r\n${given.message}` })),
    );
    expect(new Set(all)).toEqual(new Set(['fail reject', 'fail quarantine']));
  });

  it('is unknown when the look-up fails', async () => {
    expect(await dmarc({ ...forged, zone: zone(undefined, { '_dmarc.example.com': { rcode: 'SERVFAIL' } }) })).toBe(
      'temperror -',
    );
  });
});

describe('From', () => {
  it('with addresses of several domains needs each of them to pass', async () => {
    const records = zone(REJECT, { '_dmarc.bank.example': { TXT: ['v=DMARC1; p=quarantine'] } });
    expect(await dmarc({ message: mail('a@example.com, b@bank.example'), zone: records })).toBe('fail quarantine');
    expect(await dmarc({ message: mail('a@example.com, b@free.example'), zone: records })).toBe('none -');
    expect(await dmarc({ message: mail('a@example.com, b@example.com'), zone: records })).toBe('pass reject');
  });

  it('twice counts as one with several addresses', async () => {
    const message = `From: x@evil.example\r\n${mail('a@example.com')}`;
    const records = zone(undefined, {
      '_dmarc.evil.example': { TXT: [REJECT] },
      '_dmarc.example.com': { TXT: ['v=DMARC1; p=none'] },
    });
    expect(await dmarc({ message, zone: records })).toBe('fail reject');
  });

  it('with many domains is not looked up', async () => {
    const from = Array.from({ length: 20 }, (_, i) => `a@d${i}.example`).join(', ');
    expect(await say('dmarc', { message: mail(from) })).toMatch(/^permerror .*too many/);
  });

  it.each(['', 'nobody', 'a@localhost', 'a@[192.0.2.1]', 'undisclosed:;'])('%j names no domain', async (from) => {
    expect(await dmarc({ message: mail(from) })).toBe('permerror -');
  });

  it('that is missing is an error as well', async () => {
    expect(await dmarc({ message: 'To: b@example.org\r\n\r\nHello\r\n' })).toBe('permerror -');
  });

  it('with an internationalized domain is looked up as A-label', async () => {
    const message = Buffer.from(mail('a@bücher.example.com')).toString('latin1');
    const records: Zone = { '_dmarc.xn--bcher-kva.example.com': { TXT: [REJECT] } };
    expect(await dmarc({ message, zone: records, envelope: STRANGER })).toBe('fail reject');
  });
});

describe('a client that may relay', () => {
  const trusted = { client: '10.0.0.1', trusted: true };

  it('is not asked about by SPF, and its unsigned mail does not fail', async () => {
    const said = await authenticate({ message: mail('a@example.com'), zone: zone(REJECT), envelope: trusted });
    expect([said['spf']?.name, said['dmarc']?.name]).toEqual(['none', 'none']);
  });

  it.each([
    ['without a domain in From', { message: mail('nobody') }, 'none -'],
    ['without From', { message: 'To: b@example.org\r\n\r\nHello\r\n' }, 'none -'],
    [
      'with many domains in From',
      { message: mail(Array.from({ length: 20 }, (_, i) => `a@d${i}.example`).join(', ')) },
      'none -',
    ],
    [
      'where the look-up of the policy fails',
      { message: mail('a@example.com'), zone: { '_dmarc.example.com': { rcode: 'SERVFAIL' } } },
      'none -',
    ],
    [
      'where the look-up fails for one of two domains',
      {
        message: signedBy('example.com', 'a@example.com, b@bank.example'),
        zone: zone(REJECT, { '_dmarc.bank.example': { rcode: 'SERVFAIL' } }),
      },
      'none -',
    ],
    [
      'where the look-up of the key fails',
      {
        message: signedBy('example.com'),
        zone: zone(REJECT, { 's1._domainkey.example.com': { rcode: 'SERVFAIL' } }),
      },
      'none reject',
    ],
  ] as const)('has none %s', async (_, question, expected) => {
    expect(await dmarc({ ...question, envelope: trusted })).toBe(expected);
  });

  it('may still pass by DKIM', async () => {
    expect(await dmarc({ message: signedBy('example.com'), zone: zone(REJECT), envelope: trusted })).toBe(
      'pass reject',
    );
  });
});
