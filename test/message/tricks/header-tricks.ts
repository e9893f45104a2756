import { b64, BASE64, EICAR, EVIL, mixed, OCTETS, PROGRAM, raw, TOP, type Trick, withHeader } from './trick.js';

const attachment = [OCTETS, EVIL, BASE64, '', b64(EICAR)];
const multipart = 'Content-Type: multipart/mixed; boundary="bound"';
const parts = ['--bound', ...attachment, '--bound--', ''];

/** Fields that are repeated, cut short, or stand where a reader does not expect them. */
export const HEADER_TRICKS: readonly Trick[] = [
  {
    name: 'two Content-Type fields, text first',
    bytes: raw(...TOP, 'Content-Type: text/plain', multipart, '', ...parts),
    anomaly: 'duplicate-content-type',
  },
  {
    name: 'two Content-Type fields, text last',
    bytes: raw(...TOP, multipart, 'Content-Type: text/plain', '', ...parts),
    anomaly: 'duplicate-content-type',
  },
  {
    name: 'two Content-Type fields with different boundaries',
    bytes: raw(
      ...TOP,
      'Content-Type: multipart/mixed; boundary=other',
      multipart,
      '',
      '--other',
      '',
      'x',
      '--other--',
      ...parts,
    ),
    anomaly: 'duplicate-content-type',
  },
  {
    name: 'two Content-Type fields in a part, one text and one program',
    bytes: withHeader(['Content-Type: text/plain', `${OCTETS}; name=evil.exe`, BASE64]),
    anomaly: 'duplicate-content-type',
    called: '*.exe',
  },
  {
    name: 'two transfer encodings, 7bit first',
    bytes: withHeader([OCTETS, EVIL, 'Content-Transfer-Encoding: 7bit', BASE64]),
    anomaly: 'duplicate-content-transfer-encoding',
  },
  {
    name: 'two transfer encodings, base64 first, body as it is',
    bytes: withHeader([OCTETS, EVIL, BASE64, 'Content-Transfer-Encoding: 7bit'], EICAR.toString()),
    anomaly: 'duplicate-content-transfer-encoding',
  },
  {
    name: 'two transfer encodings of a text part',
    bytes: withHeader(['Content-Type: text/plain', 'Content-Transfer-Encoding: 7bit', BASE64]),
    anomaly: 'duplicate-content-transfer-encoding',
  },
  {
    name: 'two Content-Disposition fields',
    bytes: withHeader([OCTETS, 'Content-Disposition: attachment; filename=a.txt', EVIL, BASE64]),
    anomaly: 'duplicate-content-disposition',
    called: 'evil.exe',
  },
  {
    name: 'no empty line behind the header of the message',
    bytes: raw(...TOP, multipart, ...parts),
    anomaly: 'malformed-header',
  },
  {
    name: 'no empty line behind the header of the part',
    bytes: mixed(OCTETS, EVIL, BASE64, b64(EICAR)),
    anomaly: 'missing-header-end',
  },
  {
    name: 'no empty line behind the header of the part, and one behind its body',
    bytes: mixed(OCTETS, EVIL, BASE64, b64(EICAR), '', ''),
    anomaly: 'malformed-header',
  },
  {
    name: 'a line without a colon before the content fields',
    bytes: raw(...TOP, 'this is no field', multipart, '', ...parts),
    anomaly: 'malformed-header',
  },
  {
    name: 'an empty line before the header of the message',
    bytes: raw('', ...TOP, multipart, '', ...parts),
    anomaly: 'blank-line-before-header',
  },
  {
    name: 'an empty line before the header of the part',
    bytes: mixed('', ...attachment),
    anomaly: 'blank-line-before-header',
  },
  {
    name: 'three empty lines before the header of the part',
    bytes: mixed('', ' ', '', ...attachment),
    anomaly: 'blank-line-before-header',
  },
  {
    name: 'a folded line of white space before the parts',
    bytes: raw(...TOP, multipart, ' ', ...parts, '', 'rest'),
    anomaly: 'blank-folded-line',
  },
  {
    name: 'a From line of a mailbox file',
    bytes: raw('From a@example.org Sat Nov 21 20:00:00 2026', ...TOP, multipart, '', ...parts),
    anomaly: 'mbox-from',
  },
  {
    name: 'white space before the colon',
    bytes: raw(...TOP, 'Content-Type : multipart/mixed; boundary="bound"', '', ...parts),
    anomaly: 'space-before-colon',
  },
  {
    name: 'a byte order mark before the first field',
    bytes: raw(`\xef\xbb\xbf${TOP[0] ?? ''}`, ...TOP.slice(1), multipart, '', ...parts),
    anomaly: 'malformed-header',
  },
  {
    name: 'names of fields in odd cases, obsolete folding',
    bytes: raw(...TOP, 'cOnTeNt-TyPe:', '\tmultipart/mixed;', '\tboundary="bound"', '', ...parts),
  },
  {
    name: 'comments in Content-Type',
    bytes: raw(...TOP, 'Content-Type: (a) multipart/mixed (b; c) ; (d) boundary (e) = (f) "bound" (g)', '', ...parts),
  },
  {
    name: 'a header of 6,000 fields before Content-Type',
    bytes: raw(...TOP, ...Array<string>(6000).fill('X-A: b'), multipart, '', ...parts),
    anomaly: 'too-many-fields',
  },
  {
    name: 'a header of 300 KB',
    bytes: raw(...TOP, `X-A: ${'b'.repeat(900)}\r\n${` ${'c'.repeat(900)}\r\n`.repeat(340)}${multipart}`, '', ...parts),
    anomaly: 'large-header',
  },
  {
    name: 'a Content-Type without its subtype',
    bytes: raw(...TOP, 'Content-Type: multipart; boundary="bound"', '', ...parts),
    anomaly: 'malformed-content-type',
  },
  {
    name: 'a Content-Type with spaces around the slash',
    bytes: raw(...TOP, 'Content-Type: multipart / mixed; boundary="bound"', '', ...parts),
    anomaly: 'malformed-content-type',
  },
  {
    name: 'a Content-Type in quotes',
    bytes: raw(...TOP, 'Content-Type: "multipart/mixed"; boundary="bound"', '', ...parts),
    anomaly: 'malformed-content-type',
  },
  {
    name: 'a Content-Type of a boundary alone',
    bytes: raw(...TOP, 'Content-Type: boundary="bound"', '', ...parts),
    anomaly: 'malformed-content-type',
  },
  {
    name: 'a boundary behind text/plain',
    bytes: raw(...TOP, 'Content-Type: text/plain; boundary="bound"', '', ...parts),
    anomaly: 'ambiguous-boundary',
  },
  {
    name: 'a program that calls itself text',
    bytes: withHeader(['Content-Type: text/plain', BASE64], b64(PROGRAM)),
    anomaly: 'type-mismatch',
  },
  {
    name: 'a program that calls itself a picture',
    bytes: withHeader(['Content-Type: image/png; name="a.png"', BASE64], b64(PROGRAM)),
    anomaly: 'type-mismatch',
  },
];
