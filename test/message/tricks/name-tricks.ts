import { b64, BASE64, EICAR, OCTETS, PROGRAM, type Trick, withHeader } from './trick.js';

/** An attachment with this Content-Disposition, as written. */
function disposition(text: string): Buffer {
  return withHeader([OCTETS, `Content-Disposition: ${text}`, BASE64], b64(EICAR));
}

/** All of them are called `evil.exe` by some reader. */
function trick(name: string, text: string, anomaly?: string): Trick {
  return { name, bytes: disposition(text), called: '*.exe', ...(anomaly === undefined ? {} : { anomaly }) };
}

function utf8(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** Names that say one thing to a rule and another to the reader's system. */
export const NAME_TRICKS: readonly Trick[] = [
  trick('two names', 'attachment; filename=a.txt; filename=evil.exe', 'conflicting-parameters'),
  trick('two names, the other way round', 'attachment; filename=evil.exe; filename=a.txt', 'conflicting-parameters'),
  trick(
    'a plain and an extended name',
    "attachment; filename=a.txt; filename*=utf-8''evil%2Eexe",
    'conflicting-parameters',
  ),
  trick(
    'an extended and a plain name',
    "attachment; filename*=utf-8''a.txt; filename=evil.exe",
    'conflicting-parameters',
  ),
  trick('pieces', 'attachment; filename*0="evil."; filename*1="exe"'),
  trick('pieces out of order', 'attachment; filename*1="exe"; filename*0="evil."'),
  trick('pieces with a gap', 'attachment; filename*0="evil.exe"; filename*2=".txt"', 'broken-continuation'),
  trick('pieces with a gap, joined', 'attachment; filename*0="evil"; filename*2=".exe"', 'broken-continuation'),
  trick('a piece twice', 'attachment; filename*0="evil."; filename*1="exe"; filename*1=".txt"', 'broken-continuation'),
  trick('an encoded word', 'attachment; filename="=?utf-8?B?ZXZpbC5leGU=?="'),
  trick('an encoded word without quotes', 'attachment; filename==?utf-8?Q?a;evil.exe?='),
  trick('half an encoded word', 'attachment; filename="evil.=?utf-8?Q?e=78e?="'),
  trick('percent signs in a plain name', 'attachment; filename="evil%2Eexe"'),
  trick('no second quote', 'attachment; filename="evil.exe', 'malformed-parameter'),
  trick('no second quote before another parameter', 'attachment; filename="evil.exe; size=9', 'malformed-parameter'),
  trick('text behind the quote', 'attachment; filename="evil".exe', 'malformed-parameter'),
  trick('two quotes on each side', 'attachment; filename=""evil.exe""', 'malformed-parameter'),
  trick('a quoted character', 'attachment; filename="evil\\.exe"'),
  trick('no quotes and spaces', 'attachment; filename=very evil.exe'),
  trick('no semicolon', 'attachment filename=evil.exe', 'malformed-parameter'),
  trick('no semicolon between two names', 'attachment; filename=evil.exe name=a.txt'),
  trick('no disposition', 'filename=evil.exe', 'malformed-parameter'),
  trick('the other parameter', 'attachment; name=evil.exe'),
  trick('comments', 'attachment; filename (a) = (b) "evil.exe" (c)'),
  trick('a fold inside the extension', 'attachment; filename="evil.e\r\n xe"'),
  trick('a dot at the end', 'attachment; filename="evil.exe."'),
  trick('dots and spaces at the end', 'attachment; filename="evil.exe. . ."'),
  trick('a stream of NTFS', 'attachment; filename="evil.exe::$DATA"'),
  trick('a path', 'attachment; filename="..\\\\..\\\\a.txt\\\\evil.exe"'),
  trick('a slash at the end', 'attachment; filename="evil.exe/"'),
  trick('two extensions', 'attachment; filename="invoice.pdf.exe"', 'double-extension'),
  trick('many spaces', `attachment; filename="invoice.pdf${' '.repeat(80)}.exe"`, 'double-extension'),
  trick('the other direction', `attachment; filename="${utf8('invoice\u202efdp.exe')}"`, 'bidirectional-control'),
  trick('an invisible character', `attachment; filename="${utf8('evil.e\u200bxe')}"`, 'invisible-character'),
  trick('characters of full width', `attachment; filename="${utf8('evil\uff0e\uff45\uff58\uff45')}"`),
  trick('an encoded invisible character', "attachment; filename*=utf-8''evil.e%E2%80%8Bxe", 'invisible-character'),
  trick('a control character', 'attachment; filename="evil.exe\x07"', 'control-character'),
  trick('characters that Windows does not have in names', 'attachment; filename="evil.e<x>e|"'),
  trick('the quotes in the coded name', "attachment; filename*=utf-8''%22evil.exe%22"),
  trick('a byte that is none of the charset', "attachment; filename*=utf-8''evil.e%FFxe"),
  trick('single quotes', "attachment; filename='evil.exe'"),
  trick('angle brackets', 'attachment; filename=<evil.exe>'),
  trick('a comma behind the name', 'attachment; filename=evil.exe,'),
  trick('a quoted semicolon behind the name', 'attachment; filename="evil.exe;"'),
  trick('two equals signs', 'attachment; filename=="evil.exe"'),
  trick('1,000 dots at the end', `attachment; filename="evil.exe${'.'.repeat(1000)}"`),
  trick(
    'words of base64 that are cut anywhere',
    'attachment; filename="=?utf-8?B?ZXZ?= =?utf-8?B?pbC5?= =?utf-8?B?leGU=?="',
  ),
  {
    name: 'no name, and the type of an HTML application',
    bytes: withHeader(['Content-Type: application/hta', BASE64]),
    called: '*.hta',
  },
  {
    name: 'no name, and the type of a program',
    bytes: withHeader(['Content-Type: application/x-msdownload', 'Content-Disposition: attachment', BASE64]),
    called: '*.exe',
  },
  {
    name: 'a name in Content-Type and another in Content-Disposition',
    bytes: withHeader([`${OCTETS}; name=evil.exe`, 'Content-Disposition: attachment; filename=a.txt', BASE64]),
    called: '*.exe',
    anomaly: 'conflicting-names',
  },
  {
    name: 'filename in Content-Type',
    bytes: withHeader([`${OCTETS}; filename=evil.exe`, 'Content-Disposition: attachment', BASE64]),
    called: '*.exe',
  },
  {
    name: 'a name in Content-Description alone',
    bytes: withHeader([OCTETS, 'Content-Description: evil.exe', BASE64]),
    called: '*.exe',
  },
  {
    name: 'a name in Content-Location alone',
    bytes: withHeader([OCTETS, 'Content-Location: http://a.example/b/evil.exe?c', BASE64]),
    called: '*.exe',
  },
  {
    name: 'a program called a text',
    bytes: withHeader([OCTETS, 'Content-Disposition: attachment; filename=readme.txt', BASE64], b64(PROGRAM)),
    anomaly: 'type-mismatch',
  },
  {
    name: 'no name and no disposition',
    bytes: withHeader(['Content-Type: text/plain', BASE64], b64(PROGRAM)),
    anomaly: 'type-mismatch',
  },
];
