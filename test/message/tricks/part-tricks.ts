import { b64, BASE64, EICAR, EVIL, mixed, OCTETS, PROGRAM, raw, TOP, type Trick, withHeader } from './trick.js';

const attachment = [OCTETS, EVIL, BASE64, '', b64(EICAR)];
const enclosed = [...TOP, 'Content-Type: multipart/mixed; boundary=in', '', '--in', ...attachment, '--in--', ''];
const X = 'Content-Type: multipart/mixed; boundary=x';

function disposition(text: string): Buffer {
  return withHeader([OCTETS, `Content-Disposition: ${text}`, BASE64], b64(EICAR));
}

function called(name: string, text: string, anomaly?: string): Trick {
  return { name, bytes: disposition(text), called: '*.exe', ...(anomaly === undefined ? {} : { anomaly }) };
}

/** A multipart with these lines as its body. */
function body(...lines: readonly string[]): Buffer {
  return raw(...TOP, X, '', ...lines, '');
}

/** Parts that stand where, or are of a kind that, readers treat each in their own way. */
export const PART_TRICKS: readonly Trick[] = [
  called(
    'pieces in two orders, with a plain name between',
    'attachment; filename*1=exe; filename=a.txt; filename*0="evil."',
  ),
  called(
    'pieces from the tenth on',
    'attachment; filename*10="exe"; filename*11=""; filename*2="."; filename*1="evil"',
    'broken-continuation',
  ),
  called('pieces that start at one', 'attachment; filename*1="evil."; filename*2="exe"'),
  called('pieces with zeros before their numbers', 'attachment; filename*00="evil."; filename*01="exe"'),
  called('coded and plain pieces', "attachment; filename*0*=utf-8''evil%2E; filename*1=e; filename*2*=%78%65"),
  called('a coded piece that is not marked so', 'attachment; filename*0="evil%2Ee"; filename*1="xe"'),
  called('an extended name without its charset', "attachment; filename*=''evil%2Eexe"),
  called('an extended name without quotes', 'attachment; filename*=evil%2Eexe'),
  called('an extended name in UTF-16', "attachment; filename*=utf-16be''%00e%00v%00i%00l%00.%00e%00x%00e"),
  called('an extended name in quotes', `attachment; filename*="utf-8''evil%2Eexe"`),
  called('an extended name in capitals', "attachment; FILENAME*=UTF-8'EN'evil%2Eexe"),
  called('an encoded word in pieces', 'attachment; filename*0="=?utf-8?Q?evil=2"; filename*1="Eexe?="'),
  called('two encoded words that share a name', 'attachment; filename="=?utf-8?B?ZXZpbA==?=\r\n =?utf-8?B?LmV4ZQ==?="'),
  called('encoded words of two charsets', 'attachment; filename="=?utf-8?Q?evil=2E?= =?iso-8859-1?Q?exe?="'),
  called('an encoded word with spaces in it', 'attachment; filename="=?utf-8?Q?evil .exe?="'),
  called('an encoded word in UTF-7', 'attachment; filename="=?utf-7?Q?evil+AC4-exe?="'),
  called('an encoded word without its end', 'attachment; filename="=?utf-8?Q?evil=2Eexe"'),
  called('an encoded word in an encoded word', 'attachment; filename="=?utf-8?B?PT91dGYtOD9RP2V2aWw9MkVleGU/PQ==?="'),
  called('a tab between name and extension', 'attachment; filename="evil\t.exe"'),
  called('a name of 300 characters', `attachment; filename="${'x'.repeat(300)}.exe"`),
  called('a comment with a semicolon', 'attachment (a; filename=a.txt); filename=evil.exe'),
  called('a disposition in quotes', '"attachment"; filename="evil.exe"'),
  called('a disposition that nobody knows', 'x-hidden; filename="evil.exe"'),
  called('an inline disposition', 'inline; filename="evil.exe"'),
  {
    name: 'a Content-Type full of comments and folds',
    bytes: raw(
      ...TOP,
      'Content-Type: (a(b)c)\r\n multipart (x=y; boundary=no) / (z)\r\n\tmixed (d) ; (e)\r\n boundary (f) = (g)\r\n "x" (h)',
      '',
      '--x',
      ...attachment,
      '--x--',
      '',
    ),
  },
  {
    name: 'a field name folded before its value',
    bytes: raw(...TOP, 'Content-Type:', ' multipart/mixed;', '\tboundary=x', '', '--x', ...attachment, '--x--', ''),
  },
  {
    name: 'a boundary that starts like the one around it',
    bytes: body('--x', 'Content-Type: multipart/mixed; boundary=xx', '', '--xx', ...attachment, '--xx--', '--x--'),
  },
  {
    name: 'a boundary that the one around it starts like',
    bytes: raw(
      ...TOP,
      'Content-Type: multipart/mixed; boundary=xx',
      '',
      '--xx',
      X,
      '',
      '--x',
      ...attachment,
      '--x--',
      '--xx--',
      '',
    ),
  },
  {
    name: 'a boundary that ends in two dashes',
    bytes: raw(...TOP, 'Content-Type: multipart/mixed; boundary="x--"', '', '--x--', ...attachment, '--x----', ''),
  },
  {
    name: 'an attachment in the preamble, by the same boundary closed first',
    bytes: body('--x--', '', 'text', '--x', ...attachment, '--x--'),
    anomaly: 'parts-after-close',
  },
  {
    name: 'an attachment in the epilogue of an inner multipart',
    bytes: body(
      '--x',
      'Content-Type: multipart/mixed; boundary=y',
      '',
      '--y',
      '',
      'text',
      '--y--',
      '--z',
      ...attachment,
      '--z--',
      '--x--',
    ),
    anomaly: 'parts-outside-boundary',
  },
  {
    name: 'uuencode in the preamble',
    bytes: body('begin 644 evil.exe', 'M6#5/(5`E0$%0', 'end', '--x', '', 'text', '--x--'),
    anomaly: 'encoded-file-in-text',
    onlyAnomaly: true,
  },
  {
    name: 'delimiters with bare line feeds around CRLF bodies',
    bytes: raw(...TOP, X, '', `--x\n${attachment.join('\r\n')}\n--x--`, ''),
  },
  {
    name: 'a line of white space between header and body',
    bytes: mixed(OCTETS, EVIL, BASE64, ' \t', b64(EICAR), '', 'rest'),
    anomaly: 'blank-folded-line',
  },
  {
    name: 'a line of white space alone behind the header of the message',
    bytes: raw(...TOP, X, '\t \t', '--x', ...attachment, '--x--', ''),
  },
  {
    name: 'a byte order mark of UTF-16 before a message',
    bytes: raw(`\xff\xfe${TOP[0] ?? ''}`, ...TOP.slice(1), X, '', '--x', ...attachment, '--x--', ''),
    anomaly: 'malformed-header',
  },
  {
    name: 'a byte order mark before the header of the part',
    bytes: mixed(`\xef\xbb\xbf${OCTETS}`, EVIL, BASE64, '', b64(EICAR)),
    anomaly: 'malformed-header',
  },
  {
    name: 'message/partial that holds the whole in one piece',
    bytes: raw(...TOP, 'Content-Type: message/partial; id=a; number=1; total=1', '', ...enclosed),
    anomaly: 'partial-message',
  },
  {
    name: 'message/partial, the last of two, which holds the file',
    bytes: mixed('Content-Type: message/partial; id=a; number=2; total=2', '', b64(EICAR)),
    anomaly: 'partial-message',
    onlyAnomaly: true,
  },
  {
    name: 'message/external-body with the file beside it',
    bytes: mixed('Content-Type: message/external-body; access-type=local-file; name=evil.exe', '', ...attachment),
    anomaly: 'external-body',
  },
  {
    name: 'a part of a digest without any header',
    bytes: raw(...TOP, 'Content-Type: multipart/digest; boundary=x', '', '--x', '', ...enclosed, '--x--', ''),
  },
  {
    name: 'a part of a digest that says text',
    bytes: raw(
      ...TOP,
      'Content-Type: multipart/digest; boundary=x',
      '',
      '--x',
      'Content-Type: text/plain',
      '',
      ...enclosed,
      '--x--',
      '',
    ),
    anomaly: 'parts-in-text',
  },
  {
    name: 'a mail under octets without a name',
    bytes: mixed(OCTETS, BASE64, '', b64(Buffer.from(enclosed.join('\r\n')))),
  },
  {
    name: 'a mail under octets that is called .dat',
    bytes: mixed(
      OCTETS,
      'Content-Disposition: attachment; filename=a.dat',
      BASE64,
      '',
      b64(Buffer.from(enclosed.join('\r\n'))),
    ),
  },
  {
    name: 'a mail under text/plain with a name',
    bytes: mixed('Content-Type: text/plain; name=mail.txt', BASE64, '', b64(Buffer.from(enclosed.join('\n')))),
  },
  {
    name: 'a mailbox file with a From line',
    bytes: mixed(
      'Content-Type: application/mbox; name=a.mbox',
      '',
      'From a@example.org Sat Nov 21 20:00:00 2026',
      ...enclosed.map((line) => (line === '' ? '' : line)),
      '',
    ),
  },
  {
    name: 'a Word document in the form of a web archive, under .doc',
    bytes: mixed(
      'Content-Type: application/msword; name=a.doc',
      BASE64,
      '',
      b64(
        Buffer.from(
          [
            'MIME-Version: 1.0',
            X,
            '',
            '--x',
            'Content-Location: file:///C:/a/b.htm',
            'Content-Type: text/html',
            '',
            '<p>a',
            '--x',
            ...attachment,
            '--x--',
            '',
          ].join('\r\n'),
        ),
      ),
    ),
  },
  {
    name: 'the second mail of a mailbox file',
    bytes: mixed(
      'Content-Type: application/octet-stream; name=a.mbox',
      BASE64,
      '',
      b64(raw('From a Sat Nov 21', ...TOP, '', 'text', '', 'From b Sat Nov 21', ...enclosed)),
    ),
  },
  {
    name: 'a mail of Apple Mail, behind its length',
    bytes: mixed('Content-Type: application/octet-stream; name=a.emlx', BASE64, '', b64(raw('512', ...enclosed))),
  },
  {
    name: 'a mail with NUL in its boundary, as a file',
    bytes: mixed(
      'Content-Type: application/octet-stream; name=a.eml',
      BASE64,
      '',
      b64(Buffer.from(enclosed.join('\r\n').replace('boundary', 'bound\0ary'))),
    ),
    anomaly: 'nul',
  },
  {
    name: 'a mail with bare CR for line ends, as a file',
    bytes: mixed(
      'Content-Type: application/octet-stream; name=a.eml',
      BASE64,
      '',
      b64(Buffer.from(enclosed.join('\r'))),
    ),
    anomaly: 'bare-cr',
  },
  {
    name: 'a mail with CR CR LF for line ends, as a file',
    bytes: mixed(
      'Content-Type: application/octet-stream; name=a.eml',
      BASE64,
      '',
      b64(Buffer.from(enclosed.join('\r\n').replace(/\r\n/g, '\r\r\n'))),
    ),
    anomaly: 'bare-cr',
  },
  {
    name: 'CR CR LF for line ends, as intake hands them on',
    bytes: raw(enclosed.join('\r\n').replace(/\r\n/g, '\r\n\r\n')),
  },
  {
    name: 'CR CR LF for line ends behind fields of another server',
    bytes: raw('Received: from a by b; now', enclosed.join('\r\n').replace(/\r\n/g, '\r\n\r\n')),
  },
  {
    name: 'CR CR LF for line ends in the body alone',
    bytes: body(...['--x', ...attachment, '--x--'].join('\r\n').replace(/\r\n/g, '\r\n\r\n').split('\r\n')),
  },
  {
    name: 'CR CR LF for line ends in an enclosed mail',
    bytes: mixed('Content-Type: message/rfc822', '', enclosed.join('\r\n').replace(/\r\n/g, '\r\n\r\n')),
  },
  {
    name: 'AppleDouble: the program is in the first part',
    bytes: mixed(
      'Content-Type: application/applefile; name=a.exe',
      BASE64,
      '',
      b64(
        Buffer.concat([
          Buffer.from('0005160700020000', 'hex'),
          Buffer.alloc(16),
          Buffer.from('0001 00000001 00000026 00000044'.replaceAll(' ', ''), 'hex'),
          EICAR,
        ]),
      ),
    ),
  },
  {
    name: 'AppleDouble: the program is the data fork',
    bytes: mixed(
      'Content-Type: multipart/appledouble; boundary=ad',
      '',
      '--ad',
      'Content-Type: application/applefile; name=a.txt',
      BASE64,
      '',
      b64(Buffer.concat([Buffer.from('0005160700020000', 'hex'), Buffer.alloc(18)])),
      '--ad',
      'Content-Type: text/plain; name=a.txt',
      BASE64,
      '',
      b64(PROGRAM),
      '--ad--',
    ),
    anomaly: 'type-mismatch',
  },
  {
    name: 'multipart/related with a start that is elsewhere',
    bytes: raw(
      ...TOP,
      'Content-Type: multipart/related; boundary=x; start="<none>"; type="text/html"',
      '',
      '--x',
      'Content-Type: text/html',
      '',
      'a',
      '--x',
      ...attachment,
      '--x--',
      '',
    ),
  },
  {
    name: 'a signed message whose second part is no signature',
    bytes: raw(
      ...TOP,
      'Content-Type: multipart/signed; boundary=x; protocol="application/pgp-signature"; micalg=pgp-sha256',
      '',
      '--x',
      '',
      'a',
      '--x',
      'Content-Type: application/pgp-signature; name=signature.asc',
      BASE64,
      '',
      b64(PROGRAM),
      '--x--',
      '',
    ),
  },
  {
    name: 'multipart/encrypted that is not',
    bytes: raw(
      ...TOP,
      'Content-Type: multipart/encrypted; boundary=x; protocol="application/pgp-encrypted"',
      '',
      '--x',
      'Content-Type: application/pgp-encrypted',
      '',
      'Version: 1',
      '--x',
      ...attachment,
      '--x--',
      '',
    ),
  },
];
