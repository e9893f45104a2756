import { sealMessage } from 'mailauth';
import { describe, expect, it } from 'vitest';
import type { Zone } from '../support/fake-dns.js';
import { say } from './authenticate.js';
import { keyRecord, rsa, signed } from './sign.js';

const MAIL = 'From: a@example.com\r\nTo: b@example.org\r\nSubject: x\r\n\r\nHello\r\n';
const zone: Zone = {
  's1._domainkey.example.com': { TXT: [keyRecord(rsa.publicKey)] },
  'arc._domainkey.list.example': { TXT: [keyRecord(rsa.publicKey)] },
};

/** A chain of one or more seals on a message. */
async function sealed(message: string, seals = 1): Promise<string> {
  let result = message;
  for (let i = 1; i <= seals; i++) {
    const options = {
      signingDomain: 'list.example',
      selector: 'arc',
      privateKey: rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      algorithm: 'rsa-sha256' as const,
      // Without it mailauth reads the clock twice, and seals another second than it writes.
      signTime: new Date(),
      authResults: 'list.example; dkim=pass',
      cv: i === 1 ? ('none' as const) : ('pass' as const),
    };
    const fields = await sealMessage(Buffer.from(result), options);
    result = fields.toString() + result;
  }
  return result;
}

describe('a chain of seals (RFC 8617)', () => {
  it('that is complete passes', async () => {
    expect(await say('arc', { message: await sealed(MAIL), zone })).toBe('pass (1 sets)');
    expect(await say('arc', { message: await sealed(MAIL, 3), zone })).toBe('pass (3 sets)');
  });

  it('passes over a signature that does not count itself', async () => {
    const old = signed(MAIL, { domain: 'example.com', selector: 's1', key: rsa.privateKey, algorithm: 'rsa-sha1' });
    const message = await sealed(old);
    expect(await say('arc', { message, zone })).toBe('pass (1 sets)');
    expect(await say('dkim', { message, zone })).toMatch(/^permerror/);
  });

  it('is none where there is no chain', async () => {
    expect(await say('arc', { message: MAIL, zone })).toBe('none (there is no chain)');
  });

  it.each([
    ['a changed body', (text: string) => text.replace('Hello', 'Hallo')],
    ['a changed field', (text: string) => text.replace('Subject: x', 'Subject: y')],
    ['a missing set', (text: string) => text.replace(/^ARC-Seal: i=1;[^]*?\r\n(?=[A-Z])/m, '')],
    ['a changed result', (text: string) => text.replace('dkim=pass', 'dkim=fail')],
    ['a set twice', (text: string) => `${/^ARC-Seal: [^]*?\r\n(?=[A-Z])/m.exec(text)?.[0] ?? ''}${text}`],
  ])('fails with %s', async (_, change) => {
    const good = await sealed(MAIL, 2);
    expect(change(good)).not.toBe(good);
    expect(await say('arc', { message: change(good), zone })).toMatch(/^fail/);
  });

  it('fails where there is no key, and is unknown where the DNS fails', async () => {
    const message = await sealed(MAIL);
    expect(await say('arc', { message })).toMatch(/^fail/);
    const broken: Zone = { 'arc._domainkey.list.example': { rcode: 'SERVFAIL' } };
    expect(await say('arc', { message, zone: broken })).toMatch(/^temperror/);
  });

  it('of more sets than there may be fails without being read', async () => {
    const message = `${'ARC-Seal: i=1; cv=none\r\n'.repeat(200)}${MAIL}`;
    expect(await say('arc', { message, zone })).toMatch(/^fail .*too many/);
  });
});
