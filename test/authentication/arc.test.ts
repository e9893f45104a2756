import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Zone } from '../support/fake-dns.js';
import { NOW, say } from './authenticate.js';
import { fieldsOf, sealed, type SealOptions } from './seal.js';
import { ed25519, keyRecord, rsa, rsaShort, signed } from './sign.js';

const MAIL = 'From: a@example.com\r\nTo: b@example.org\r\nSubject: x\r\n\r\nHello\r\n';
const LIST: SealOptions = { domain: 'list.example', selector: 'arc', key: rsa.privateKey };
const KEY = keyRecord(rsa.publicKey);
const zone = zoneOf(KEY);

function zoneOf(record: string): Zone {
  return { 's1._domainkey.example.com': { TXT: [KEY] }, 'arc._domainkey.list.example': { TXT: [record] } };
}

/** A chain of some sets, the newest of which is made as said. */
function chain(count: number, newest: Partial<SealOptions> = {}, message = MAIL): string {
  let result = message;
  for (let i = 1; i < count; i += 1) result = sealed(result, LIST);
  return sealed(result, { ...LIST, ...newest });
}

async function arc(message: string, given: Zone = zone): Promise<string> {
  return await say('arc', { message, zone: given });
}

describe('a chain of seals (RFC 8617)', () => {
  it.each([1, 3, 50])('of %d sets that is complete passes', async (count) => {
    expect(await arc(chain(count))).toBe(`pass (${count} sets)`);
  });

  it('is none where there is no chain', async () => {
    expect(await arc(MAIL)).toBe('none (there is no chain)');
  });

  it.each([
    ['à', 'Voilà, là '],
    ['Р', 'Рассылка: Р'],
    ['a no-break space', '1\u00a0000 \u00a0 \u00a0'],
    ['an emoji', '😠 😠'],
    ['U+3000', '\u3000a\u3000'],
  ])('passes with %s in what it covers', async (_, text) => {
    const bytes = Buffer.from(text).toString('latin1');
    const message = MAIL.replace('Subject: x', `Subject: ${bytes}`);
    const results = `list.example; dkim=pass reason="${bytes}" header.d=example.com`;
    expect(await arc(chain(2, { results }, message))).toBe('pass (2 sets)');
    expect(await arc(chain(2, { canonicalization: 'simple/simple' }, message))).toBe('pass (2 sets)');
    expect(await arc(sealed(chain(1, { results }, message), LIST))).toBe('pass (2 sets)');
  });

  it('passes with a key of Ed25519 (RFC 8463)', async () => {
    const message = chain(1, { key: ed25519.privateKey, algorithm: 'ed25519-sha256' });
    expect(await arc(message, zoneOf(keyRecord(ed25519.publicKey)))).toBe('pass (1 sets)');
  });

  it('passes with names in U-labels (RFC 8616)', async () => {
    const message = chain(1, { domain: Buffer.from('bücher.example').toString('latin1') });
    expect(await arc(message, { 'arc._domainkey.xn--bcher-kva.example': { TXT: [KEY] } })).toBe('pass (1 sets)');
  });

  it('passes as another implementation makes it', async () => {
    const message = readFileSync(new URL('arc-dkimpy.eml', import.meta.url), 'latin1');
    const keys: Zone = {
      'list._domainkey.list.example': {
        TXT: [
          'v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQClVnXYUISqJJ+dz7BeIrjsh940+hVE8oCnNJzUg/X2fuv53cYIA3+cAR+FJUH3a1G7booGC4w0TUlN8+0CvtasMPyjtLHsRt/T+4Qh9Q6DV/h+BhebicCQWv7dPPbDs36L+m5brGRIG9Tc0D+/qU5n6ROBa8qm62SArPZ/5kH54QIDAQAB',
        ],
      },
      'relay._domainkey.relay.example': {
        TXT: [
          'v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC8ywxzhg2n+N6+LQUdYAXLxm06EAE88frqQoIA/MBgS2qBLUelW0vrn2e69DFwq14cc1wmS9rhADelIWFqWlzFaouk0zfBnZam7Whf4lhjouiBZphazN7/oF6I1QKtfjM3OMg4VQUNB5PNqz/G009H7YjGfkJdswGbUJpmFlqC4QIDAQAB',
        ],
      },
    };
    expect(await arc(message, keys)).toBe('pass (3 sets)');
    expect(await arc(message.replace('\xa0', ' '), keys)).toMatch(/^fail .*signature 3/);
    expect(await arc(message.replace('h1.example; arc=pass', 'h1.example; arc=none'), keys)).toMatch(/^fail .*seal 3/);
  });

  it('passes when white space was changed, and its fields stand elsewhere', async () => {
    const message = chain(2)
      .replace(/^ARC-Seal: i=2; /m, 'ARC-SEAL :  i=2;\r\n\t')
      .replace('list.example; dkim', 'list.example;   dkim');
    expect(await arc(message)).toBe('pass (2 sets)');
    const fields = message.slice(0, message.indexOf('\r\n\r\n')).split(/\r\n(?![ \t])/);
    expect(await arc([...fields.reverse(), '', 'Hello', ''].join('\r\n'))).toBe('pass (2 sets)');
  });

  it('passes over a signature that does not count itself', async () => {
    const old = signed(MAIL, { domain: 'example.com', selector: 's1', key: rsa.privateKey, algorithm: 'rsa-sha1' });
    const message = chain(1, { headers: ['From', 'DKIM-Signature'] }, old);
    expect(await arc(message)).toBe('pass (1 sets)');
    expect(await say('dkim', { message, zone })).toMatch(/^permerror/);
    expect(await arc(message.replace('d=example.com', 'd=example.net'))).toMatch(/^fail/);
  });

  it('passes when an older signature covers what was changed on the way (5.2 step 4)', async () => {
    const edited = chain(1).replace('Subject: x', 'Subject: [list] x');
    expect(await arc(edited)).toMatch(/^fail .*signature 1/);
    expect(await arc(sealed(edited, LIST))).toBe('pass (2 sets)');
  });
});

describe('a chain fails', () => {
  const without = (name: string, index: number) => (text: string) =>
    text.replace(`${fieldsOf(text, name)[index] ?? 'none'}\r\n`, '');
  const again = (name: string) => (text: string) => `${fieldsOf(text, name)[0] ?? 'none'}\r\n${text}`;

  it.each([
    ['a changed body', (text: string) => text.replace('Hello', 'Hallo')],
    ['a changed field', (text: string) => text.replace('Subject: x', 'Subject: y')],
    ['a changed result', (text: string) => text.replace('dkim=pass', 'dkim=fail')],
    ['a From added', (text: string) => `From: c@example.net\r\n${text}`],
    ['a seal gone', without('ARC-Seal', 1)],
    ['a signature gone', without('ARC-Message-Signature', 0)],
    ['results gone', without('ARC-Authentication-Results', 1)],
    ['a seal twice', again('ARC-Seal')],
    ['a signature twice', again('ARC-Message-Signature')],
    ['results twice', again('ARC-Authentication-Results')],
    ['a field without an instance', (text: string) => `ARC-Seal: cv=none\r\n${text}`],
    ['a field that is no tag list', (text: string) => text.replace('ARC-Seal: i=2;', 'ARC-Seal: i=2; i=2;')],
    ['sets exchanged', (text: string) => text.replace(/i=([12]);/g, (_, i) => `i=${i === '1' ? '2' : '1'};`)],
    ['sets of another count', (text: string) => text.replaceAll('i=2;', 'i=3;')],
    ['an instance of zero', (text: string) => text.replaceAll('i=1;', 'i=0;')],
    ['another status', (text: string) => text.replace('cv=pass', 'cv=none')],
    ['a field of a megabyte', (text: string) => text.replace('list.example;', `list.example;${' '.repeat(2 ** 20)}`)],
    [
      'the first set cut off',
      (text: string) =>
        ['ARC-Seal', 'ARC-Message-Signature', 'ARC-Authentication-Results']
          .reduce((left, name) => without(name, 1)(left), text)
          .replaceAll('i=2;', 'i=1;')
          .replace('cv=pass', 'cv=none'),
    ],
  ])('with %s', async (_, change) => {
    const good = chain(2);
    expect(change(good)).not.toBe(good);
    expect(await arc(change(good))).toMatch(/^fail/);
  });

  it.each([
    ['that was broken before', { status: 'fail' }, 'a sealer found the chain broken'],
    ['whose status is none above the first set', { status: 'none' }, 'a seal with a status that cannot be'],
    ['whose seal names fields', { sealTags: ['h=from'] }, 'a seal that names fields'],
    ['whose seal is simple', { sealTags: ['c=simple/simple'] }, 'a seal that is not relaxed'],
    ['whose signature covers a seal', { headers: ['From', 'ARC-Seal'] }, 'a signature that covers a seal'],
    ['whose signature leaves From out', { headers: ['To'] }, 'From is not signed'],
    ['whose signature covers a part of the body', { length: 3 }, 'the end of the body is not signed'],
    ['whose signature has expired', { tags: [`x=${NOW - 1}`] }, 'the signature has expired'],
    ['that is rsa-sha1', { algorithm: 'rsa-sha1' }, 'rsa-sha1'],
    ['of another key', { key: rsaShort.privateKey }, 'does not fit'],
  ] as const)('%s', async (_, newest, reason) => {
    const said = await arc(chain(2, newest));
    expect(said).toMatch(/^fail/);
    expect(said).toContain(reason);
  });

  it.each([
    ['no key', 'v=DKIM1; p='],
    ['a key for tests', keyRecord(rsa.publicKey, 't=y')],
    ['a key for other services', keyRecord(rsa.publicKey, 's=tlsrpt')],
    ['a key of another type', keyRecord(ed25519.publicKey)],
  ])('with %s', async (_, record) => {
    expect(await arc(chain(1), zoneOf(record))).toMatch(/^fail/);
  });

  it('where an older seal is of another key', async () => {
    const other = { domain: 'relay.example', selector: 'arc' };
    const both: Zone = { ...zone, 'arc._domainkey.relay.example': { TXT: [keyRecord(rsaShort.publicKey)] } };
    expect(await arc(sealed(chain(1, other), LIST), both)).toMatch(/^fail \(seal 1/);
    expect(await arc(sealed(chain(1, other), LIST), { ...both, 'arc._domainkey.relay.example': { TXT: [KEY] } })).toBe(
      'pass (2 sets)',
    );
  });

  it('of more sets than there may be', async () => {
    expect(await arc(chain(51))).toMatch(/^fail .*too many/);
    expect(await arc(`${'ARC-Seal: i=1; cv=none\r\n'.repeat(200)}${MAIL}`)).toMatch(/^fail .*too many/);
  });

  it('where there is no key, and is unknown where the DNS fails', async () => {
    expect(await arc(chain(1), {})).toMatch(/^fail/);
    expect(await arc(chain(1), { 'arc._domainkey.list.example': { rcode: 'SERVFAIL' } })).toMatch(/^temperror/);
  });
});
