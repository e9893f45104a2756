import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { makeMail, type MailFile } from '../../../test/support/mail.js';
import { makeZip } from '../../../test/support/zip.js';
import { readMessage } from '../../message/read.js';
import type { Finding } from '../types.js';
import { EICAR, EICAR_NAME } from './eicar.js';
import { buildHashTable, type HashTable } from './hash-list.js';
import { signatures } from './signatures.js';

const limits = { maxDepth: 16, maxParts: 100, maxArchiveEntries: 100, maxUnpacked: 2 ** 24 };

async function scan(bytes: Buffer, settings: object = {}, data?: HashTable): Promise<readonly Finding[]> {
  const detector = await signatures.create(signatures.settings.parse(settings), { baseDirectory: '.', data });
  return await detector.inspect({
    message: readMessage(bytes, limits),
    envelope: {
      sender: '',
      recipients: [],
      client: '192.0.2.1',
      helo: '',
      tls: false,
      trusted: false,
      smtpUtf8: false,
      eightBit: false,
    },
    intake: { anomalies: [], received: 0 },
    signal: new AbortController().signal,
  });
}

const infected = (rest: object): object =>
  expect.objectContaining({ module: 'signatures', status: 'infected', ...rest }) as object;

describe('signatures', () => {
  it('finds the test file as an attachment and in archives in archives', async () => {
    const inner = makeZip([{ name: 'deep/eicar.com', bytes: EICAR }]);
    const outer = makeZip([
      { name: 'inner.zip', bytes: inner },
      { name: 'readme.txt', bytes: Buffer.from('nothing') },
    ]);
    const mail = makeMail('Look', [
      { name: 'eicar.com', bytes: Buffer.concat([EICAR, Buffer.from('\r\n')]) },
      { name: 'outer.zip', bytes: outer },
    ]);
    expect(await scan(mail)).toEqual([
      infected({ name: EICAR_NAME, object: 'eicar.com', size: 70 }),
      infected({ name: EICAR_NAME, object: 'outer.zip/inner.zip/deep/eicar.com', size: 68 }),
    ]);
  });

  it.each(['7bit', 'base64', 'quoted-printable'])('finds the test file as a text in %s', async (encoding) => {
    const coded = {
      '7bit': EICAR.toString(),
      base64: EICAR.toString('base64'),
      'quoted-printable': EICAR.toString().replace('!', '=21').replace('STANDARD', 'STAN=\r\nDARD'),
    }[encoding];
    const mail = Buffer.from(`Subject: x\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n${coded ?? ''}\r\n`);
    const findings = await scan(mail);
    expect(findings).toEqual([infected({ name: EICAR_NAME })]);
    // The text is no attachment that could be deleted.
    expect(findings[0]?.object).toBeUndefined();
  });

  it('does not find a text that merely speaks of it', async () => {
    expect(await scan(makeMail(`The test file is ${EICAR.toString()}, they say.`))).toEqual([]);
  });

  it('finds what is on a list, in archives too', async () => {
    const file: MailFile = { name: 'a.bin', bytes: Buffer.from('evil bytes') };
    const digest = createHash('sha256').update(file.bytes).digest('hex');
    const table = buildHashTable([{ digest, name: 'Evil.A' }]);
    expect(await scan(makeMail('x', [file, { name: 'z.zip', bytes: makeZip([file]) }]), {}, table)).toEqual([
      infected({ name: 'Evil.A', object: 'a.bin' }),
      infected({ name: 'Evil.A', object: 'z.zip/a.bin' }),
    ]);
    expect(await scan(makeMail('x', [{ name: 'b.bin', bytes: Buffer.from('other bytes') }]), {}, table)).toEqual([]);
  });

  it('finds byte patterns anywhere in objects and texts', async () => {
    const settings = { patterns: [{ name: 'Marker', hex: Buffer.from('needle').toString('hex') }] };
    const mail = makeMail('a needle here', [{ name: 'a.bin', bytes: Buffer.from('hay needle hay') }]);
    expect(await scan(mail, settings)).toEqual([
      infected({ name: 'Marker' }),
      infected({ name: 'Marker', object: 'a.bin' }),
    ]);
  });
});
