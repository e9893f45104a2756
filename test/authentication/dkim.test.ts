import { describe, expect, it } from 'vitest';
import type { NameData, Zone } from '../support/fake-dns.js';
import { authenticate, NOW, say } from './authenticate.js';
import { ed25519, keyRecord, rsa, rsaShort, signed, type SignOptions } from './sign.js';

const MAIL = [
  'From: A <a@example.com>',
  'To: b@example.org',
  'Subject:  Hello   there',
  '',
  'Good  morning ',
  '',
  'Bye',
  '',
  '',
].join('\r\n');
const OWN: SignOptions = { domain: 'example.com', selector: 's1', key: rsa.privateKey };
const KEY = keyRecord(rsa.publicKey);

function zone(record: string | NameData = KEY): Zone {
  return { 's1._domainkey.example.com': typeof record === 'string' ? { TXT: [record] } : record };
}

async function dkim(message: string, given: Zone = zone()): Promise<string> {
  return await say('dkim', { message, zone: given });
}

describe('signatures that verify', () => {
  it.each(['simple/simple', 'simple/relaxed', 'relaxed/simple', 'relaxed/relaxed', 'relaxed', 'simple'])(
    'with canonicalization %s',
    async (canonicalization) => {
      expect(await dkim(signed(MAIL, { ...OWN, canonicalization }))).toBe('pass (d=example.com)');
    },
  );

  it('of an Ed25519 key (RFC 8463)', async () => {
    const message = signed(MAIL, { ...OWN, key: ed25519.privateKey, algorithm: 'ed25519-sha256' });
    expect(await dkim(message, zone(keyRecord(ed25519.publicKey)))).toBe('pass (d=example.com)');
  });

  it('of an RSA key as RSAPublicKey (RFC 6376 3.6.1)', async () => {
    const key = (pair: typeof rsa): string =>
      `v=DKIM1; p=${pair.publicKey.export({ type: 'pkcs1', format: 'der' }).toString('base64')}`;
    const message = signed(MAIL, OWN);
    expect(await dkim(message, zone(key(rsa)))).toBe('pass (d=example.com)');
    expect(await dkim(message.replace('Bye', 'Buy'), zone(key(rsa)))).toMatch(/^fail/);
    expect(await dkim(signed(MAIL, { ...OWN, key: rsaShort.privateKey }), zone(key(rsaShort)))).toMatch(/too short/);
  });

  it('relaxed, when white space was changed on the way', async () => {
    const message = signed(MAIL, OWN)
      .replace('Subject:  Hello   there', 'SUBJECT : Hello\r\n there')
      .replace('Good  morning ', 'Good morning');
    expect(await dkim(message)).toBe('pass (d=example.com)');
  });

  it.each([
    ['with an empty body', 'From: a@example.com\r\n\r\n'],
    ['with a body of empty lines', 'From: a@example.com\r\n\r\n\r\n\r\n'],
  ])('%s', async (_, mail) => {
    for (const canonicalization of ['simple/simple', 'relaxed/relaxed'])
      expect(await dkim(signed(mail, { ...OWN, canonicalization }))).toBe('pass (d=example.com)');
  });

  it('when fields were added above', async () => {
    expect(await dkim(`Received: by x\r\nX-A: b\r\n${signed(MAIL, OWN)}`)).toBe('pass (d=example.com)');
  });

  it('with a key cut into strings', async () => {
    expect(await dkim(signed(MAIL, OWN), zone({ TXT: [[KEY.slice(0, 200), KEY.slice(200)]] }))).toBe(
      'pass (d=example.com)',
    );
  });

  it('with a length that covers all of the body', async () => {
    const length = 'Good morning\r\n\r\nBye\r\n'.length;
    expect(await dkim(signed(MAIL, { ...OWN, length }))).toBe('pass (d=example.com)');
  });

  it('of a subdomain as identity', async () => {
    expect(await dkim(signed(MAIL, { ...OWN, tags: ['i=a@mail.example.com'] }))).toBe('pass (d=example.com)');
  });

  it('that have not expired', async () => {
    expect(await dkim(signed(MAIL, { ...OWN, tags: [`t=${NOW - 10}`, `x=${NOW + 10}`] }))).toBe('pass (d=example.com)');
  });
});

describe('signed fields', () => {
  const latin1 = (text: string): string => Buffer.from(text).toString('latin1');
  const bodyless = (subject: string): string => `From: a@example.com\r\nSubject: ${subject}\r\n\r\nHello\r\n`;

  it.each([
    ['à', latin1('Voilà, là ')],
    ['Р', latin1('Рассылка: Р')],
    ['a no-break space', latin1('1\u00a0000 \u00a0 \u00a0')],
    ['an emoji', latin1('😠 😠')],
    ['U+3000', latin1('\u3000a\u3000')],
    ['the byte 0xA0 alone', '\xa0 a\xa0\xa0b \xa0'],
    ['VT and FF', '\x0b a\x0b\x0cb \x0c'],
  ])('keep %s', async (_, subject) => {
    for (const canonicalization of ['simple/relaxed', 'relaxed/relaxed'])
      expect(await dkim(signed(bodyless(subject), { ...OWN, canonicalization }))).toBe('pass (d=example.com)');
  });

  it('are changed when what is no white space is taken for it', async () => {
    const message = signed(bodyless('a\xa0\xa0b'), OWN);
    for (const changed of ['a\xa0b', 'a  b', 'a \xa0b', 'a\x0bb'])
      expect(await dkim(message.replace('a\xa0\xa0b', changed))).toMatch(/^fail .*does not fit/);
  });

  it.each(['b =', 'b = ', 'b\r\n =', 'b \r\n\t= \r\n ', ' b\t='])(
    'stand beside a signature behind %j',
    async (mark) => {
      for (const canonicalization of ['simple/simple', 'relaxed/relaxed'])
        expect(await dkim(signed(MAIL, { ...OWN, canonicalization, mark }))).toBe('pass (d=example.com)');
    },
  );

  it('may hold what looks like the tag', async () => {
    const tags = ['z=Subject:b=x|To: b=y'];
    expect(await dkim(signed(MAIL, { ...OWN, tags }))).toBe('pass (d=example.com)');
  });

  it('are taken from the bottom up (RFC 6376 5.4.2)', async () => {
    const message = signed(`Subject: one\r\n${MAIL}`, { ...OWN, headers: ['From', 'Subject'] });
    expect(await dkim(message.replace('one', 'two'))).toMatch(/^pass/);
    expect(await dkim(message.replace('Hello', 'Hallo'))).toMatch(/^fail/);
    const both = signed(`Subject: one\r\n${MAIL}`, { ...OWN, headers: ['From', 'Subject', 'Subject'] });
    expect(await dkim(both)).toMatch(/^pass/);
    expect(await dkim(both.replace('one', 'two'))).toMatch(/^fail/);
  });
});

describe('signatures that do not', () => {
  it('after a change of the body', async () => {
    expect(await dkim(signed(MAIL, OWN).replace('Bye', 'Buy'))).toBe('fail (example.com: the body was changed)');
  });

  it('after a change of a signed field', async () => {
    expect(await dkim(signed(MAIL, OWN).replace('b@example.org', 'c@example.org'))).toBe(
      'fail (example.com: the signature does not fit the message)',
    );
  });

  it('simple, when white space was changed', async () => {
    expect(
      await dkim(signed(MAIL, { ...OWN, canonicalization: 'simple/simple' }).replace('Good  m', 'Good m')),
    ).toMatch(/^fail/);
  });

  it('of another key', async () => {
    expect(await dkim(signed(MAIL, { ...OWN, key: rsaShort.privateKey }))).toMatch(/^fail/);
  });

  it('of a key too short (RFC 8301 3.2)', async () => {
    const message = signed(MAIL, { ...OWN, key: rsaShort.privateKey });
    expect(await dkim(message, zone(keyRecord(rsaShort.publicKey)))).toBe(
      'permerror (example.com: the key is too short (RFC 8301))',
    );
  });

  it('with rsa-sha1 (RFC 8301 3.1)', async () => {
    expect(await dkim(signed(MAIL, { ...OWN, algorithm: 'rsa-sha1' }))).toMatch(/^permerror .*rsa-sha1/);
  });

  it.each([
    ['no key', { A: ['192.0.2.1'] }, 'permerror (example.com: there is no key)'],
    ['a revoked key', { TXT: ['v=DKIM1; p='] }, 'permerror (example.com: the key is revoked or cannot be read)'],
    [
      'an unknown version of the key',
      { TXT: [KEY.replace('DKIM1', 'DKIM2')] },
      'permerror (example.com: an unknown version of the key)',
    ],
    ['a key of another type', { TXT: [keyRecord(ed25519.publicKey)] }, 'permerror (example.com: '],
    ['a key that is none', { TXT: ['v=DKIM1; p=bm9uZQ=='] }, 'permerror (example.com: '],
    [
      'a key for other services',
      { TXT: [keyRecord(rsa.publicKey, 's=tlsrpt')] },
      'permerror (example.com: the key is not for mail)',
    ],
    [
      'a key for other hashes',
      { TXT: [keyRecord(rsa.publicKey, 'h=sha1')] },
      'permerror (example.com: the key does not allow the algorithm)',
    ],
    ['a key for tests', { TXT: [keyRecord(rsa.publicKey, 't=y')] }, 'none (example.com: the key is for tests only)'],
    ['a DNS that fails', { rcode: 'SERVFAIL' }, 'temperror (example.com: the look-up of the key failed)'],
  ] as const)('with %s', async (_, data, expected) => {
    const said = await dkim(signed(MAIL, OWN), zone(data));
    expect(said.startsWith(expected), said).toBe(true);
  });

  it('under a key for tests when the body was changed', async () => {
    expect(await dkim(signed(MAIL, OWN).replace('Bye', 'Buy'), zone(keyRecord(rsa.publicKey, 't=y')))).toMatch(/^none/);
  });

  it('with a key that allows no identities of subdomains', async () => {
    const given = zone(keyRecord(rsa.publicKey, 't=s'));
    expect(await dkim(signed(MAIL, { ...OWN, tags: ['i=@m.example.com'] }), given)).toMatch(/^permerror .*subdomains/);
    expect(await dkim(signed(MAIL, { ...OWN, tags: ['i=@example.com'] }), given)).toMatch(/^pass/);
  });

  it.each([
    ['an unknown version', { tags: ['v=2'] }, 'an unknown version of the signature'],
    ['From unsigned', { headers: ['To', 'Subject'] }, 'From is not signed'],
    ['an identity of another domain', { tags: ['i=a@example.net'] }, 'the identity is not of the signing domain'],
    ['an identity that only ends alike', { tags: ['i=a@badexample.com'] }, 'the identity is not of the signing domain'],
    ['a time that is over', { tags: [`x=${NOW - 1}`] }, 'the signature has expired'],
    ['an end before its start', { tags: [`t=${NOW + 5}`, `x=${NOW + 4}`] }, 'it expires before it was made'],
    ['another way to the key', { tags: ['q=http'] }, 'a way to look up the key that is unknown'],
    ['an unknown canonicalization', { canonicalization: 'nofws' }, 'an unknown canonicalization'],
    ['a length of less than the body', { length: 10 }, 'the end of the body is not signed'],
    ['a length of nothing', { length: 0 }, 'the end of the body is not signed'],
    ['a length of more than the body', { tags: ['l=500'] }, 'the signature claims more body than there is'],
    ['a tag twice', { tags: ['q=dns/txt', 'z=a', 'z=b'] }, 'the signature field cannot be read'],
  ] as const)('with %s', async (_, options, reason) => {
    const said = await dkim(signed(MAIL, { ...OWN, ...options }));
    expect(said).toContain('permerror (');
    expect(said).toContain(reason);
  });

  it('with text added behind what is signed', async () => {
    const length = 'Good morning\r\n\r\nBye\r\n'.length;
    expect(await dkim(`${signed(MAIL, { ...OWN, length })}Pay here\r\n`)).toMatch(/^permerror .*not signed/);
  });

  it('with a From added above the signed one', async () => {
    for (const from of ['From: c@example.net', 'from : c@example.net', 'FROM:\r\n c@example.net'])
      expect(await dkim(`${from}\r\n${signed(MAIL, OWN)}`)).toMatch(/^permerror .*From/);
  });

  it('with a From added where the signature counts it (oversigning)', async () => {
    expect(await dkim(`From: c@example.net\r\n${signed(MAIL, { ...OWN, headers: ['From', 'From', 'To'] })}`)).toMatch(
      /^fail/,
    );
    expect(await dkim(signed(MAIL, { ...OWN, headers: ['From', 'From', 'To'] }))).toMatch(/^pass/);
  });

  it('in a message without any', async () => {
    expect(await dkim(MAIL)).toBe('none (the message is not signed)');
  });

  it('in a field that is no tag list', async () => {
    expect(await dkim(`DKIM-Signature: nonsense\r\n${MAIL}`)).toMatch(/^permerror/);
    expect(await dkim(`DKIM-Signature:\r\n${MAIL}`)).toMatch(/^permerror/);
  });
});

describe('names in U-labels (RFC 8616)', () => {
  const latin1 = (text: string): string => Buffer.from(text).toString('latin1');
  const mail = latin1(MAIL.replace('a@example.com', 'a@bücher.example'));
  const own: SignOptions = { ...OWN, domain: latin1('BÜCHER.example'), selector: latin1('2024.voilà') };
  const keys: Zone = { '2024.xn--voil-3na._domainkey.xn--bcher-kva.example': { TXT: [KEY] } };

  it('are asked for and named by A-labels', async () => {
    const { dkim: finding } = await authenticate({ message: signed(mail, own), zone: keys });
    expect([finding?.name, finding?.detail]).toEqual(['pass', 'd=xn--bcher-kva.example']);
    expect(finding?.results?.[0]?.properties).toMatchObject({
      'header.d': 'xn--bcher-kva.example',
      'header.s': '2024.xn--voil-3na',
    });
    expect(await dkim(signed(mail, own).replace('Bye', 'Buy'), keys)).toMatch(/^fail \(xn--bcher-kva\.example: /);
  });

  it.each(['bücher.example', 'xn--bcher-kva.example'])('are aligned with %s in From', async (domain) => {
    const zone = { ...keys, '_dmarc.xn--bcher-kva.example': { TXT: ['v=DMARC1; p=reject; adkim=s'] } };
    const message = signed(latin1(MAIL.replace('example.com', domain)), own);
    expect(await say('dmarc', { message, zone })).toMatch(/^pass/);
    expect(await say('dmarc', { message: message.replace(latin1('BÜCHER'), 'bucher'), zone })).toMatch(/^fail/);
  });

  it.each([
    ['i=é@bücher.example', 'pass'],
    ['i=@à.bücher.example', 'pass'],
    ['i=@à.xn--bcher-kva.example', 'pass'],
    ['i=@bucher.example', 'permerror'],
    ['i=@ãbücher.example', 'permerror'],
  ])('stand in %s: %s', async (tag, result) => {
    for (const domain of [own.domain, 'xn--bcher-kva.example'])
      expect(await dkim(signed(mail, { ...own, domain, tags: [latin1(tag)] }), keys)).toMatch(result);
  });

  it.each([
    ['a domain that is no UTF-8', { domain: 'b\xfccher.example' }],
    ['a domain with a path', { domain: latin1('bücher.example/x') }],
    ['a domain with an escape', { domain: latin1('%62ücher.example') }],
    ['a domain with white space', { domain: latin1('bücher\u00a0.example') }],
    ['an address in digits', { domain: latin1('１２７.0.0.1') }],
    ['a selector that is no UTF-8', { selector: 'voil\xa0' }],
    ['a label that is too long', { selector: latin1('ü'.repeat(62)) }],
    ['an empty label', { selector: 'a..b' }],
  ])('are not %s', async (_, options) => {
    expect(await dkim(signed(mail, { ...own, ...options }), keys)).toMatch(/^permerror .*no usable domain or selector/);
  });
});

describe('several signatures', () => {
  const other: SignOptions = { domain: 'esp.example', selector: 's2', key: rsa.privateKey };
  const both: Zone = { ...zone(), 's2._domainkey.esp.example': { TXT: [KEY] } };

  it('are a pass when one is valid', async () => {
    const broken = signed(MAIL, { ...other, tags: ['x=1'] });
    expect(await dkim(broken.replace(MAIL, signed(MAIL, OWN)), both)).toBe('pass (d=example.com)');
  });

  it('name the aligned domain first, and no domain that did not pass', async () => {
    const message = signed(signed(MAIL, OWN), other);
    expect(await dkim(message, both)).toBe('pass (d=example.com, d=esp.example)');
    expect(await dkim(message, zone())).toBe('pass (d=example.com)');
    const { dkim: finding } = await authenticate({ message, zone: zone() });
    expect(finding?.results?.map(({ result, properties }) => [result, properties['header.d']])).toEqual([
      ['pass', 'example.com'],
      ['permerror', 'esp.example'],
    ]);
  });

  it('are looked at up to a bound', async () => {
    let message = signed(MAIL, OWN);
    for (let i = 0; i < 8; i++) message = signed(message, { ...other, selector: `x${i}` });
    expect(await dkim(message, both)).not.toMatch(/^pass/);
  });

  it.each([
    ['has expired', { tags: ['x=1'] }],
    ['is rsa-sha1', { algorithm: 'rsa-sha1' }],
    ['covers a part of the body', { length: 3 }],
    ['is valid', {}],
  ] as const)('cover one that %s', async (_, options) => {
    const headers = ['From', 'To', 'Subject', 'DKIM-Signature'];
    const message = signed(signed(MAIL, { ...other, ...options }), { ...OWN, headers });
    expect(await dkim(message, both)).toMatch(/^pass \(d=example\.com/);
    expect(await dkim(message.replace('d=esp.example', 'd=esp.Example'), both)).not.toContain('d=example.com');
  });

  it('do not cover themselves by name (RFC 6376 3.5)', async () => {
    const headers = ['From', 'DKIM-Signature', 'DKIM-Signature'];
    expect(await dkim(signed(MAIL, { ...OWN, headers }))).toBe('pass (d=example.com)');
    expect(await dkim(signed(signed(MAIL, other), { ...OWN, headers }), zone())).toBe('pass (d=example.com)');
  });

  it.each([
    ['other fields', (field: string) => field.replace('h=From:To', 'h=From:Subject:To')],
    ['another canonicalization', (field: string) => field.replace('c=relaxed/relaxed', 'c=simple/simple')],
    ['another canonicalization of the body', (field: string) => field.replace('c=relaxed/relaxed', 'c=relaxed/simple')],
    ['a tag that nobody knows', (field: string) => field.replace('v=1', 'v=1; L=3')],
  ])('are each evaluated by themselves: a copy with %s', async (_, change) => {
    const good = signed(MAIL, OWN);
    const field = good.slice(0, good.indexOf('\r\n'));
    const copy = change(field);
    expect(copy).not.toBe(field);
    for (const message of [`${copy}\r\n${good}`, good.replace(field, `${field}\r\n${copy}`)]) {
      const { dkim: finding } = await authenticate({ message, zone: zone() });
      expect(finding?.results?.map(({ result }) => result).sort()).toEqual(['fail', 'pass']);
    }
    expect(await dkim(`${copy}\r\n${good.replace('Hello', 'Hallo')}`)).toMatch(/^fail/);
  });

  it('with a copy that claims less of the body do not cover more than they did', async () => {
    const short = signed(MAIL.slice(0, MAIL.indexOf('\r\n\r\n') + 4) + 'Good\r\n', OWN);
    const field = short.slice(0, short.indexOf('\r\n'));
    const copy = field.replace('v=1', 'v=1; L=6');
    expect(await dkim(`${copy}\r\n${short}Pay here\r\n`)).toBe('fail (example.com: the body was changed)');
  });

  it('of ours with a false copy beside it stay valid', async () => {
    const good = signed(MAIL, OWN);
    const field = good.slice(0, good.indexOf('\r\n'));
    const copy = field.replace('d=example.com', 'd=example.net');
    expect(await dkim(`${copy}\r\n${good}`)).toBe('pass (d=example.com)');
  });
});

it('a seal of ARC is no signature of the message', async () => {
  const field = signed(MAIL, OWN).split('\r\n')[0] ?? '';
  const seal = field.replace('DKIM-Signature', 'ARC-Seal').replace('v=1;', 'i=1; cv=none;');
  const message = `${seal}\r\nARC-Message-Signature: i=1; a=rsa-sha256; d=example.com; s=s1; h=from; bh=x; b=x\r\nARC-Authentication-Results: i=1; x\r\n${MAIL}`;
  expect(await dkim(message)).toBe('none (the message is not signed)');
});
