import { decodeCharset } from './charset.js';

/** Longer names of charsets are none. */
const MAX_CHARSET = 64;

interface Word {
  readonly charset: string;
  readonly bytes: Buffer;
  /** Position behind the word. */
  readonly end: number;
}

/**
 * Decodes the encoded words of RFC 2047 in a text, in linear time and as leniently as clients do (inside quotes, with
 * spaces in the word, longer than 75 characters). White space between two words goes (6.2); words of one charset are
 * joined before they are decoded, because many senders cut characters in two.
 */
export function decodeWords(text: string): string {
  let found = text.indexOf('=?');
  if (found < 0) return text;
  let out = '';
  let from = 0;
  let charset = '';
  let pending: Buffer[] = [];
  const flush = (): void => {
    if (pending.length > 0)
      out += decodeCharset(pending.length === 1 ? (pending[0] ?? Buffer.alloc(0)) : Buffer.concat(pending), charset);
    pending = [];
  };
  // Without a later "?=" nothing can be a word any more: this keeps the search linear.
  const last = text.lastIndexOf('?=');
  while (found >= 0 && found < last) {
    const word = wordAt(text, found);
    if (word === undefined) {
      found = text.indexOf('=?', found + 2);
      continue;
    }
    const between = text.slice(from, found);
    const joined = pending.length > 0 && isSpace(between);
    if (!joined || word.charset !== charset) flush();
    if (!joined) out += between;
    charset = word.charset;
    pending.push(word.bytes);
    from = word.end;
    found = text.indexOf('=?', from);
  }
  flush();
  return out + text.slice(from);
}

function wordAt(text: string, start: number): Word | undefined {
  const head = text.slice(start + 2, start + 2 + MAX_CHARSET + 3);
  const mark = head.indexOf('?');
  if (mark <= 0 || head.charAt(mark + 2) !== '?') return undefined;
  const encoding = head.charAt(mark + 1).toLowerCase();
  if (encoding !== 'b' && encoding !== 'q') return undefined;
  const data = start + 2 + mark + 3;
  const end = text.indexOf('?=', data);
  if (end < 0) return undefined;
  const language = head.lastIndexOf('*', mark);
  const charset = head.slice(0, language > 0 ? language : mark).toLowerCase();
  const body = text.slice(data, end);
  return { charset, bytes: encoding === 'b' ? Buffer.from(body, 'base64') : decodeQ(body), end: end + 2 };
}

/** The Q encoding of RFC 2047 4.2. */
function decodeQ(text: string): Buffer {
  const out = Buffer.allocUnsafe(Buffer.byteLength(text, 'utf8'));
  let length = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x5f) {
      out[length++] = 0x20;
    } else if (code === 0x3d && /^[0-9a-f]{2}$/i.test(text.slice(at + 1, at + 3))) {
      out[length++] = parseInt(text.slice(at + 1, at + 3), 16);
      at += 2;
    } else if (code < 0x80) {
      out[length++] = code;
    } else {
      length += out.write(text.charAt(at), length, 'utf8');
    }
  }
  return out.subarray(0, length);
}

function isSpace(text: string): boolean {
  return text.trim() === '';
}
