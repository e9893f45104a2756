import { describe, expect, it } from 'vitest';
import { mail, mailWith } from './mail.js';
import { BYE, put, WARN } from './put-banners.js';

describe('signed and encrypted messages', () => {
  const multipart = (type: string, ...rest: string[]): Buffer =>
    mail(
      'From: a@b',
      'Subject: s',
      'MIME-Version: 1.0',
      `Content-Type: ${type}; boundary=s`,
      '',
      '--s',
      'Content-Type: text/plain',
      '',
      'text',
      '--s',
      ...rest,
      '--s--',
      '',
    );
  const cases: readonly (readonly [string, Buffer])[] = [
    [
      'S/MIME and PGP/MIME signatures',
      multipart(
        'multipart/signed; protocol="application/pgp-signature"',
        'Content-Type: application/pgp-signature',
        '',
        'sig',
      ),
    ],
    [
      'a signature in a list mail',
      multipart(
        'multipart/mixed',
        'Content-Type: multipart/signed; boundary=i',
        '',
        '--i',
        '',
        'x',
        '--i',
        'Content-Type: application/pkcs7-signature',
        '',
        's',
        '--i--',
      ),
    ],
    [
      'PGP/MIME encryption',
      multipart(
        'multipart/encrypted; protocol="application/pgp-encrypted"',
        'Content-Type: application/octet-stream',
        '',
        'x',
      ),
    ],
    [
      'S/MIME',
      mail(
        'From: a@b',
        'Subject: s',
        'Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m',
        'Content-Transfer-Encoding: base64',
        '',
        'MIAG',
        '',
      ),
    ],
    [
      'S/MIME under another name',
      mail(
        'From: a@b',
        'Subject: s',
        'Content-Type: application/octet-stream; name="smime.p7m"',
        'Content-Transfer-Encoding: base64',
        '',
        'MIAG',
        '',
      ),
    ],
    [
      'PGP in the text',
      mail(
        'From: a@b',
        'Subject: s',
        '',
        '-----BEGIN PGP SIGNED MESSAGE-----',
        '',
        'x',
        '-----BEGIN PGP SIGNATURE-----',
        's',
        '-----END PGP SIGNATURE-----',
        '',
      ),
    ],
  ];
  it.each(cases)('%s: only the outer fields change', (_, bytes) => {
    const { after, notes, leftOut } = put(bytes, [WARN], [BYE], { tags: ['[T]'] });
    expect(leftOut).toBe(true);
    expect(after.toString()).toBe(bytes.toString().replace('Subject: s', 'Subject: [T] s'));
    expect(notes.join()).toMatch(/left out the warning warn and the disclaimer bye: the message is (signed|encrypted)/);
  });

  it('do not include a signed file that is attached', () => {
    expect(
      put(mailWith([{ name: 'invoice.xml.p7m', content: Buffer.from('x'), type: 'application/pkcs7-mime' }]), [WARN])
        .leftOut,
    ).toBe(false);
  });
});
