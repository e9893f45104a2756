import { isAscii, isUtf8 } from 'node:buffer';
import iconv from 'iconv-lite';

const ALIASES: ReadonlyMap<string, string> = new Map([
  ['us-ascii', 'windows-1252'],
  ['ascii', 'windows-1252'],
  ['ansi_x3.4-1968', 'windows-1252'],
  ['iso-8859-1', 'windows-1252'],
  ['latin1', 'windows-1252'],
  ['iso8859-1', 'windows-1252'],
  ['ks_c_5601-1987', 'cp949'],
  ['gb2312', 'gb18030'],
  ['x-gbk', 'gb18030'],
  ['cp932', 'shift_jis'],
  ['unicode-1-1-utf-7', 'utf-7'],
]);

/** 8-bit text without a declared charset: UTF-8 when it is valid, else windows-1252. */
export function decodeUnlabelled(bytes: Buffer): string {
  return isUtf8(bytes) ? bytes.toString('utf8') : iconv.decode(bytes, 'windows-1252');
}

/**
 * Decodes text. Never throws: a charset that nobody knows is read as unlabelled text. ISO-8859-1 and US-ASCII are
 * read as windows-1252, as clients do (WHATWG Encoding 4.2), unless the text is valid UTF-8.
 * @param charset as the message names it, any case
 */
export function decodeCharset(bytes: Buffer, charset: string): string {
  const label = charset.trim().toLowerCase();
  if (label === '' || label === 'utf-8' || label === 'utf8') {
    return label === '' ? decodeUnlabelled(bytes) : withoutMark(bytes.toString('utf8'));
  }
  const name = ALIASES.get(label) ?? label;
  if (name === 'windows-1252') return isAscii(bytes) ? bytes.toString('latin1') : decodeWestern(bytes, label);
  if (iconv.encodingExists(name)) return iconv.decode(bytes, name);
  return decodeByPlatform(bytes, name);
}

/** Text labelled US-ASCII that is not: believe UTF-8 when the bytes are valid UTF-8. */
function decodeWestern(bytes: Buffer, label: string): string {
  return label.includes('ascii') ? decodeUnlabelled(bytes) : iconv.decode(bytes, 'windows-1252');
}

function withoutMark(text: string): string {
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

/** Charsets that iconv-lite lacks, foremost iso-2022-jp. */
function decodeByPlatform(bytes: Buffer, name: string): string {
  try {
    return new TextDecoder(name).decode(bytes);
  } catch (error) {
    if (error instanceof RangeError) return decodeUnlabelled(bytes);
    throw error;
  }
}
