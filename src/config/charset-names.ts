import iconv from 'iconv-lite';

/** A charset that mail can be written in. */
export interface CharsetName {
  /** The preferred MIME name (IANA), lower case: what `charset=` says. */
  readonly mime: string;
  /** Name in iconv-lite; absent for iso-2022-jp, which it lacks. */
  readonly codec?: string;
}

/** Preferred MIME names of what is known to be understood by mail programs. */
const MIME_NAMES = [
  'utf-8',
  'us-ascii',
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16].map((part) => `iso-8859-${part}`),
  ...[874, 1250, 1251, 1252, 1253, 1254, 1255, 1256, 1257, 1258].map((page) => `windows-${page}`),
  'koi8-r',
  'koi8-u',
  'gb2312',
  'gbk',
  'gb18030',
  'big5',
  'shift_jis',
  'euc-jp',
  'euc-kr',
  'iso-2022-jp',
];

/** Other spellings, without punctuation. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ['ascii', 'us-ascii'],
  ['ansix341968', 'us-ascii'],
  ['iso646us', 'us-ascii'],
  ['latin1', 'iso-8859-1'],
  ['l1', 'iso-8859-1'],
  ['latin2', 'iso-8859-2'],
  ['l2', 'iso-8859-2'],
  ['latin3', 'iso-8859-3'],
  ['latin4', 'iso-8859-4'],
  ['cyrillic', 'iso-8859-5'],
  ['arabic', 'iso-8859-6'],
  ['greek', 'iso-8859-7'],
  ['hebrew', 'iso-8859-8'],
  ['latin5', 'iso-8859-9'],
  ['latin6', 'iso-8859-10'],
  ['latin9', 'iso-8859-15'],
  ['latin10', 'iso-8859-16'],
  ['euccn', 'gb2312'],
  ['cp936', 'gbk'],
  ['big5hkscs', 'big5'],
  ['cp950', 'big5'],
  ['sjis', 'shift_jis'],
  ['mskanji', 'shift_jis'],
  ['cp932', 'shift_jis'],
  ['windows31j', 'shift_jis'],
  ['ksc56011987', 'euc-kr'],
  ['korean', 'euc-kr'],
  ['cp949', 'euc-kr'],
  ['jis', 'iso-2022-jp'],
  ...[874, 1250, 1251, 1252, 1253, 1254, 1255, 1256, 1257, 1258].flatMap((page): [string, string][] => [
    [`cp${page}`, `windows-${page}`],
    [`win${page}`, `windows-${page}`],
  ]),
]);

const BY_KEY: ReadonlyMap<string, string> = new Map(MIME_NAMES.map((name) => [keyOf(name), name]));

/** What iconv-lite converts that is no charset, or none that mail can be written in. */
const NO_CHARSET = /^(binary|base64|hex|cesu8|utf7.*|unicode11utf7|utf16.*|utf32.*|ucs.*|.*imap|_.*)$/;
/** Header fields and MIME are ASCII: of a charset, what is ASCII has to be the bytes of ASCII. */
const ASCII = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)).join('');

/** Names that a mistyped one is compared with. */
export const CHARSET_NAMES: readonly string[] = MIME_NAMES;

/** The charset of that name, in any usual spelling; undefined where mail cannot be written in it. */
export function charsetNamed(name: string): CharsetName | undefined {
  const key = keyOf(name);
  const mime = BY_KEY.get(key) ?? BY_KEY.get(keyOf(ALIASES.get(key) ?? ''));
  if (mime === 'iso-2022-jp') return { mime };
  if (mime !== undefined) return { mime, codec: mime };
  if (!/^[a-z0-9][a-z0-9._+-]{1,39}$/i.test(name) || NO_CHARSET.test(key) || !iconv.encodingExists(name))
    return undefined;
  const asAscii = iconv.encode(ASCII, name, { addBOM: false }).toString('latin1') === ASCII;
  return asAscii ? { mime: name.toLowerCase(), codec: name } : undefined;
}

function keyOf(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '');
}
