import { b64, BASE64, EICAR, EVIL, mixed, OCTETS, PROGRAM, raw, TOP, type Trick, withHeader } from './trick.js';

const eicar = b64(EICAR);

/** Lines of uuencode, as long as `width` says; `zero` stands for six zero bits. */
export function uuencoded(bytes: Buffer, name: string, width = 45, zero = '`'): string {
  const six = (value: number): string => (value === 0 ? zero : String.fromCharCode(value + 0x20));
  const lines = [`begin 644 ${name}`];
  for (let at = 0; at < bytes.length; at += width) {
    const chunk = bytes.subarray(at, at + width);
    let line = six(chunk.length);
    for (let from = 0; from < chunk.length; from += 3) {
      const group = ((chunk[from] ?? 0) << 16) | ((chunk[from + 1] ?? 0) << 8) | (chunk[from + 2] ?? 0);
      line += six(group >> 18) + six((group >> 12) & 63) + six((group >> 6) & 63) + six(group & 63);
    }
    lines.push(line);
  }
  return [...lines, zero, 'end'].join('\r\n');
}

function yenc(bytes: Buffer, head: readonly string[], tail: string): string {
  const chars = Array.from(bytes, (byte) => {
    const out = (byte + 42) & 0xff;
    return [0, 9, 10, 13, 0x2e, 0x3d].includes(out)
      ? `=${String.fromCharCode((out + 64) & 0xff)}`
      : String.fromCharCode(out);
  });
  const lines = chars.join('').replace(/[^]{20}(?<!=)/g, '$&\r\n');
  return [...head, lines, tail].join('\r\n');
}

function encoded(encoding: string, body = eicar): Buffer {
  return withHeader([OCTETS, EVIL, `Content-Transfer-Encoding: ${encoding}`], body);
}

function inText(text: string): Buffer {
  return raw(...TOP, '', 'Hello,', '', text, '', 'Bye', '');
}

/** A body with this charset that says "forbidden words" to who reads it by that charset. */
function says(charset: string, text: Buffer, type = 'text/plain'): Buffer {
  return withHeader([`Content-Type: ${type}; charset=${charset}`, BASE64], b64(text));
}

const WORDS = 'forbidden words';
const wide = Buffer.from(WORDS, 'utf16le');
const wideBig = Buffer.from(wide).swap16();

/** Bodies that are encoded by other rules than those of MIME, or not by all of these. */
export const BODY_TRICKS: readonly Trick[] = [
  {
    name: 'uuencode with spaces for zeros',
    bytes: inText(uuencoded(PROGRAM, 'evil.exe', 45, ' ')),
    anomaly: 'encoded-file-in-text',
    called: 'evil.exe',
  },
  {
    name: 'uuencode in short lines',
    bytes: inText(uuencoded(EICAR, 'evil.exe', 9)),
    anomaly: 'encoded-file-in-text',
  },
  {
    name: 'uuencode without its end',
    bytes: inText(uuencoded(EICAR, 'evil.exe').replace(/`\r\nend$/, '')),
    anomaly: 'encoded-file-in-text',
  },
  {
    name: 'uuencode with a name of several words',
    bytes: inText(uuencoded(EICAR, 'very evil thing.exe')),
    anomaly: 'encoded-file-in-text',
    called: '*.exe',
  },
  {
    name: 'the second of two uuencoded files',
    bytes: inText(`${uuencoded(Buffer.from('nothing'), 'a.txt')}\r\n${uuencoded(EICAR, 'evil.exe')}`),
    anomaly: 'encoded-file-in-text',
    called: 'evil.exe',
  },
  {
    name: 'a word "begin" before the uuencoded file',
    bytes: inText(`begin here\r\n${uuencoded(EICAR, 'evil.exe')}`),
    anomaly: 'encoded-file-in-text',
  },
  {
    name: 'uuencode behind tabs, with all of the mode',
    bytes: inText(uuencoded(EICAR, 'evil.exe').replace('begin 644 ', 'begin\t0100644\t')),
    called: 'evil.exe',
  },
  {
    name: 'uuencode in HTML',
    bytes: withHeader(['Content-Type: text/html'], `<pre>\r\n${uuencoded(EICAR, 'evil.exe')}\r\n</pre>`),
    anomaly: 'encoded-file-in-text',
  },
  {
    name: 'uuencode as an attached file',
    bytes: withHeader(
      [OCTETS, 'Content-Disposition: attachment; filename=a.uue', BASE64],
      b64(Buffer.from(uuencoded(EICAR, 'evil.exe'))),
    ),
    called: 'evil.exe',
  },
  {
    name: 'yEnc in lines, with escapes',
    bytes: inText(yenc(EICAR, ['=ybegin line=20 size=68 name=evil.exe'], '=yend size=68')),
    anomaly: 'encoded-file-in-text',
  },
  {
    name: 'yEnc in parts',
    bytes: inText(
      yenc(EICAR, ['=ybegin part=1 line=20 size=68 name=evil.exe', '=ypart begin=1 end=68'], '=yend size=68 part=1'),
    ),
    anomaly: 'encoded-file-in-text',
  },
  {
    name: 'BinHex under its own media type',
    bytes: withHeader(
      ['Content-Type: application/mac-binhex40; name=evil.hqx'],
      '(This file must be converted with BinHex 4.0)\r\n\r\n:$f*TEQKPH#!!:',
    ),
    problem: 'unscannable',
  },
  {
    name: 'the alphabet of URLs in base64',
    bytes: encoded(
      'base64',
      Buffer.concat([PROGRAM, Buffer.from('fbfffe', 'hex')])
        .toString('base64')
        .replaceAll('+', '-')
        .replaceAll('/', '_'),
    ),
    anomaly: 'illegal-base64',
  },
  {
    name: 'base64 behind a text',
    bytes: encoded('base64', `This is a file:\r\n\r\n${eicar}`),
    anomaly: 'illegal-base64',
    onlyAnomaly: true,
  },
  {
    name: 'base64 behind one padding too much a line',
    bytes: encoded('base64', `=\r\n${eicar}`),
    anomaly: 'illegal-base64',
  },
  {
    name: 'three runs of base64',
    bytes: encoded('base64', [EICAR.subarray(0, 1), EICAR.subarray(1, 3), EICAR.subarray(3)].map(b64).join('\r\n')),
    anomaly: 'base64-after-padding',
  },
  {
    name: 'base64 that ends in the middle of a byte',
    bytes: encoded('base64', `${eicar.replace(/=+$/, '')}AA`),
    anomaly: 'illegal-base64',
  },
  {
    name: 'NUL between the characters of base64',
    bytes: encoded('base64', eicar.replace(/.{9}/g, '$&\0')),
    anomaly: 'illegal-base64',
  },
  {
    name: 'a line of dashes within base64',
    bytes: encoded('base64', eicar.replace(/^(.{20})/, '$1\r\n--------\r\n')),
    anomaly: 'illegal-base64',
  },
  {
    name: 'base64 in entities of HTML',
    bytes: encoded('base64', eicar.replace('=', '&#61;')),
    onlyAnomaly: true,
    anomaly: 'illegal-base64',
  },
  {
    name: 'quoted-printable that ends in a soft break',
    bytes: encoded('quoted-printable', `${EICAR.toString().replaceAll('=', '=3D')}=`),
  },
  {
    name: 'quoted-printable that ends in a soft break and white space',
    bytes: encoded('quoted-printable', `${EICAR.toString()}= \t`),
  },
  {
    name: 'quoted-printable with soft breaks of bare LF',
    bytes: encoded('quoted-printable', EICAR.toString().replace(/.{7}/g, '$&=\n')),
  },
  {
    name: 'quoted-printable with white space at the ends of lines',
    bytes: encoded('quoted-printable', EICAR.toString().replace(/.{10}/g, '$&=20=\r\n').replaceAll('=20', '')),
  },
  {
    name: 'quoted-printable with 100 spaces in a soft break',
    bytes: encoded('quoted-printable', EICAR.toString().replace(/^.{7}/, `$&=${' '.repeat(100)}\r\n`)),
  },
  { name: 'a comment before the transfer encoding', bytes: encoded('(quoted-printable) base64') },
  {
    name: 'a comment that ends in the transfer encoding',
    bytes: encoded('7bit (base64)'),
    anomaly: 'malformed-transfer-encoding',
  },
  { name: 'a transfer encoding in pieces', bytes: encoded('base\r\n 64'), anomaly: 'unknown-transfer-encoding' },
  { name: 'an empty transfer encoding', bytes: encoded(''), anomaly: 'undeclared-encoding' },
  {
    name: 'a transfer encoding behind a tab',
    bytes: withHeader([OCTETS, EVIL, 'Content-Transfer-Encoding:\tBase64 ']),
  },
  {
    name: 'an invisible character in the transfer encoding',
    bytes: encoded('base\xc2\xad64'),
    anomaly: 'unknown-transfer-encoding',
  },
  {
    name: 'text in UTF-7',
    bytes: says('utf-7', Buffer.from('+AGYAbwByAGIAaQBkAGQAZQBu- words')),
    shows: WORDS,
    anomaly: 'unusual-charset',
  },
  {
    name: 'text in UTF-16 with a mark',
    bytes: says('utf-16', Buffer.concat([Buffer.from('fffe', 'hex'), wide])),
    shows: WORDS,
    anomaly: 'unusual-charset',
  },
  {
    name: 'text in UTF-16, big end first, with a mark',
    bytes: says('utf-16', Buffer.concat([Buffer.from('feff', 'hex'), wideBig])),
    shows: WORDS,
    anomaly: 'unusual-charset',
  },
  { name: 'text in UTF-16BE', bytes: says('utf-16be', wideBig), shows: WORDS, anomaly: 'unusual-charset' },
  {
    name: 'text in UTF-32',
    bytes: says('utf-32le', Buffer.from(Uint32Array.from(WORDS, (c) => c.charCodeAt(0)).buffer)),
    shows: WORDS,
    anomaly: 'unusual-charset',
  },
  {
    name: 'text in UTF-16 that calls itself UTF-8',
    bytes: says('utf-8', Buffer.concat([Buffer.from('fffe', 'hex'), wide])),
    shows: WORDS,
  },
  {
    name: 'text in EBCDIC',
    bytes: says('ibm037', Buffer.from('869699828984848595 40a6969984a2'.replaceAll(' ', ''), 'hex')),
    anomaly: 'unusual-charset',
    onlyAnomaly: true,
  },
  {
    name: 'HTML with NUL in its tags and words',
    bytes: says('utf-8', Buffer.from('<p>for\0bid<b\0>den</b> wo\0rds'), 'text/html'),
    shows: WORDS,
  },
  {
    name: 'HTML with a comment within the word',
    bytes: says('utf-8', Buffer.from('<p>forb<!-- x -->idden&#32;words'), 'text/html'),
    shows: WORDS,
  },
  {
    name: 'HTML in plain text',
    bytes: mixed('Content-Type: text/plain', '', 'forbidden=20words'),
    shows: 'forbidden=20words',
  },
];
