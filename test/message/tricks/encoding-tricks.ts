import { b64, BASE64, EICAR, EVIL, mixed, OCTETS, PROGRAM, raw, TOP, type Trick, withHeader } from './trick.js';

const eicar = b64(EICAR);
const inner = ['--in', OCTETS, EVIL, BASE64, '', eicar, '--in--', ''].join('\r\n');
const enclosed = [...TOP, 'Content-Type: multipart/mixed; boundary=in', '', inner].join('\r\n');

function encoded(encoding: string, body = eicar): Buffer {
  return withHeader([OCTETS, EVIL, `Content-Transfer-Encoding: ${encoding}`], body);
}

function uuencode(bytes: Buffer, name: string): string {
  const six = (value: number): string => String.fromCharCode(value === 0 ? 0x60 : value + 0x20);
  const lines = [`begin 644 ${name}`];
  for (let at = 0; at < bytes.length; at += 45) {
    const chunk = bytes.subarray(at, at + 45);
    let line = six(chunk.length);
    for (let from = 0; from < chunk.length; from += 3) {
      const group = ((chunk[from] ?? 0) << 16) | ((chunk[from + 1] ?? 0) << 8) | (chunk[from + 2] ?? 0);
      line += six(group >> 18) + six((group >> 12) & 63) + six((group >> 6) & 63) + six(group & 63);
    }
    lines.push(line);
  }
  return [...lines, '`', 'end'].join('\r\n');
}

function yenc(bytes: Buffer): string {
  const chars = Array.from(bytes, (byte) => {
    const out = (byte + 42) & 0xff;
    return [0, 10, 13, 0x3d].includes(out) ? `=${String.fromCharCode((out + 64) & 0xff)}` : String.fromCharCode(out);
  });
  return ['=ybegin line=128 size=68 name=evil.exe', chars.join(''), '=yend size=68'].join('\r\n');
}

function quoted(bytes: Buffer): string {
  return Array.from(bytes, (byte) => `=${byte.toString(16).padStart(2, '0')}`)
    .join('')
    .replace(/.{60}/g, '$&=  \r\n');
}

/** Transfer encodings that some readers undo and others do not. */
export const ENCODING_TRICKS: readonly Trick[] = [
  { name: 'base64 in capitals', bytes: encoded('BASE64') },
  { name: 'base64 in quotes', bytes: encoded('"base64"'), anomaly: 'malformed-transfer-encoding' },
  { name: 'base64 with a comment', bytes: encoded('(x) base64 (y)') },
  { name: 'base64 with text behind it', bytes: encoded('base64 please'), anomaly: 'malformed-transfer-encoding' },
  { name: 'base64 with a semicolon', bytes: encoded('base64; x=y'), anomaly: 'malformed-transfer-encoding' },
  { name: 'base64 behind another word', bytes: encoded('7bit base64'), anomaly: 'malformed-transfer-encoding' },
  { name: 'base64 as an encoded word', bytes: encoded('=?us-ascii?Q?base64?='), anomaly: 'unknown-transfer-encoding' },
  { name: 'x-base64', bytes: encoded('x-base64'), anomaly: 'unknown-transfer-encoding' },
  { name: 'an encoding that nobody knows', bytes: encoded('binary64'), anomaly: 'unknown-transfer-encoding' },
  {
    name: 'quoted-printable under a wrong name',
    bytes: encoded('quoted', quoted(EICAR)),
    anomaly: 'unknown-transfer-encoding',
  },
  { name: 'no transfer encoding at all', bytes: withHeader([OCTETS, EVIL]), anomaly: 'undeclared-encoding' },
  { name: 'an encoding on a folded line', bytes: encoded('\r\n base64') },
  {
    name: 'characters outside the alphabet',
    bytes: encoded('base64', eicar.replace(/.{5}/g, '$&!*')),
    anomaly: 'illegal-base64',
  },
  {
    name: 'bytes over 127 in base64',
    bytes: encoded('base64', eicar.replace(/.{7}/g, '$&\xa0')),
    anomaly: 'illegal-base64',
  },
  {
    name: 'base64 without its padding',
    bytes: encoded('base64', eicar.replaceAll('=', '')),
    anomaly: 'illegal-base64',
  },
  { name: 'too much padding', bytes: encoded('base64', `${eicar}====`), anomaly: 'illegal-base64' },
  { name: 'padding at the start', bytes: encoded('base64', `====${eicar}`), anomaly: 'illegal-base64' },
  {
    name: 'base64 in runs that are padded each',
    bytes: encoded('base64', b64(EICAR.subarray(0, 10)) + b64(EICAR.subarray(10))),
    anomaly: 'base64-after-padding',
  },
  {
    name: 'data behind the padding',
    bytes: encoded('base64', `${eicar}\r\n${b64(Buffer.alloc(200, 65))}`),
    anomaly: 'base64-after-padding',
  },
  { name: 'one character a line', bytes: encoded('base64', eicar.replace(/./g, '$&\r\n')) },
  { name: 'spaces and tabs inside', bytes: encoded('base64', eicar.replace(/./g, '$& \t')) },
  {
    name: 'a line of 5,000 characters',
    bytes: encoded('base64', PROGRAM.toString('base64').padEnd(5000, ' ')),
    anomaly: 'long-line',
  },
  { name: 'quoted-printable in small letters with soft breaks', bytes: encoded('quoted-printable', quoted(EICAR)) },
  { name: 'uuencode as the transfer encoding', bytes: encoded('x-uuencode', uuencode(EICAR, 'evil.exe')) },
  {
    name: 'uuencode in the text of the mail',
    bytes: raw(...TOP, '', 'Hello', '', uuencode(EICAR, 'evil.exe'), ''),
    anomaly: 'encoded-file-in-text',
    called: 'evil.exe',
  },
  {
    name: 'begin-base64 in the text of the mail',
    bytes: raw(...TOP, '', 'begin-base64 644 evil.exe', eicar, '====', ''),
    anomaly: 'encoded-file-in-text',
  },
  {
    name: 'yEnc in the text of the mail',
    bytes: raw(...TOP, '', 'Hello', yenc(EICAR), ''),
    anomaly: 'encoded-file-in-text',
  },
  {
    name: 'BinHex in the text of the mail',
    bytes: raw(...TOP, '', '(This file must be converted with BinHex 4.0)', ':$f*TEQKPH#', ''),
    anomaly: 'encoded-file-in-text',
    onlyAnomaly: true,
  },
  {
    name: 'uuencode in a text part in quoted-printable',
    bytes: withHeader(
      ['Content-Type: text/plain', 'Content-Transfer-Encoding: quoted-printable'],
      uuencode(EICAR, 'evil.exe').replace('begin', '=62egin').replaceAll('=', '=3D').replace('=3D62', '=62'),
    ),
    anomaly: 'encoded-file-in-text',
  },
  {
    name: 'a multipart in base64',
    bytes: mixed('Content-Type: multipart/mixed; boundary=in', BASE64, '', b64(Buffer.from(inner))),
    anomaly: 'encoded-multipart',
  },
  {
    name: 'the whole body in base64',
    bytes: raw(...TOP, 'Content-Type: multipart/mixed; boundary=in', BASE64, '', b64(Buffer.from(inner))),
    anomaly: 'encoded-multipart',
  },
  {
    name: 'a multipart that says base64 and is not',
    bytes: raw(...TOP, 'Content-Type: multipart/mixed; boundary=in', BASE64, '', inner),
    anomaly: 'encoded-multipart',
  },
  {
    name: 'a multipart in quoted-printable',
    bytes: mixed(
      'Content-Type: multipart/mixed; boundary=in',
      'Content-Transfer-Encoding: quoted-printable',
      '',
      inner.replaceAll('=', '=3D'),
    ),
    anomaly: 'encoded-multipart',
    called: 'evil.exe',
  },
  {
    name: 'an enclosed message in quoted-printable',
    bytes: mixed(
      'Content-Type: message/rfc822',
      'Content-Transfer-Encoding: quoted-printable',
      '',
      enclosed.replaceAll('=', '=3D'),
    ),
    anomaly: 'encoded-message',
    called: 'evil.exe',
  },
  { name: 'in an enclosed message', bytes: mixed('Content-Type: message/rfc822', '', enclosed) },
  {
    name: 'in an enclosed message in base64',
    bytes: mixed('Content-Type: message/rfc822', BASE64, '', b64(Buffer.from(enclosed))),
    anomaly: 'encoded-message',
  },
  {
    name: 'in an enclosed message that calls itself octets',
    bytes: mixed(OCTETS, 'Content-Disposition: attachment; filename=a.eml', BASE64, '', b64(Buffer.from(enclosed))),
  },
  {
    name: 'a piece of a message',
    bytes: raw(...TOP, 'Content-Type: message/partial; id=a; number=1; total=2', '', enclosed.slice(0, 200)),
    anomaly: 'partial-message',
    onlyAnomaly: true,
  },
  {
    name: 'a body that lies elsewhere',
    bytes: mixed(
      'Content-Type: message/external-body; access-type=URL; URL="http://a.example/evil.exe"',
      '',
      OCTETS,
      '',
    ),
    anomaly: 'external-body',
    onlyAnomaly: true,
  },
];
