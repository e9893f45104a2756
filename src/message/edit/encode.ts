/** Where lines are folded: RFC 5322 2.1.1 would have 78, lines with encoded words have 76 (RFC 2047 2). */
export const SOFT_LINE = 76;
/** RFC 2047 2. */
const MAX_WORD = 75;
const WORD_START = '=?utf-8?Q?';
const WORD_END = '?=';
const IN_TEXT = /^[A-Za-z0-9!*+/.,:;()[\]@#$%&'-]$/;
/** RFC 2047 5 (3). */
const IN_PHRASE = /^[A-Za-z0-9!*+/-]$/;

/** A text that may stand in a header field: one line, without control characters. */
export function oneLine(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ').trim();
}

/** Whether a text can stand in a header field as it is. */
export function isPlain(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text) && !text.includes('=?') && !/\S{900}/.test(text);
}

/**
 * Encodes a text as encoded words in UTF-8; a line may be folded between any two of them (RFC 2047).
 * @param used characters that the line of the first word has already
 * @param plain ASCII characters that stand for themselves
 */
export function encodedWords(text: string, used: number, plain: RegExp = IN_TEXT): readonly string[] {
  const words: string[] = [];
  let current = '';
  let room = Math.max(20, Math.min(MAX_WORD, SOFT_LINE - used - 1)) - WORD_START.length - WORD_END.length;
  for (const char of text) {
    const piece = encodeChar(char, plain);
    if (current.length + piece.length > room && current !== '') {
      words.push(WORD_START + current + WORD_END);
      current = '';
      room = MAX_WORD - WORD_START.length - WORD_END.length;
    }
    current += piece;
  }
  if (current !== '') words.push(WORD_START + current + WORD_END);
  return words;
}

function encodeChar(char: string, plain: RegExp): string {
  if (char === ' ') return '_';
  if (plain.test(char)) return char;
  return Array.from(Buffer.from(char, 'utf8'), hex).join('');
}

function hex(byte: number): string {
  return `=${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}

/**
 * A header field with its CRLF, encoded where needed and folded below 78 characters where there is white space.
 * Line ends and control characters in the value become spaces, so that a value can never begin a second field.
 */
export function headerField(name: string, value: string): string {
  const text = oneLine(value);
  const words = isPlain(text) ? text.split(' ') : (mailboxWords(name, text) ?? encodedWords(text, name.length + 1));
  return `${fold(`${name}:`, words)}\r\n`;
}

/** Fields in whose values only the names may be encoded, or the addresses could not be read (RFC 2047 5). */
const ADDRESS_FIELD = /^(resent-)?(from|sender|reply-to|to|cc|bcc)$/i;

/** The words of an address field with its display names encoded; undefined where that does not make it ASCII. */
function mailboxWords(name: string, text: string): readonly string[] | undefined {
  if (!ADDRESS_FIELD.test(name)) return undefined;
  const encoded = text.replace(
    /(?:"((?:[^"\\]|\\.)*)"|([^",<>]+?))\s*(<[^<>]*>)/g,
    (whole: string, quoted: string | undefined, bare: string | undefined, address: string) => {
      const phrase = (quoted?.replace(/\\(.)/g, '$1') ?? bare ?? '').trim();
      return isPlain(phrase)
        ? whole
        : `${quoted === undefined ? ' ' : ''}${encodedWords(phrase, name.length + 1, IN_PHRASE).join(' ')} ${address}`;
    },
  );
  return /^[\x20-\x7e]*$/.test(encoded) ? encoded.trim().split(/ +/) : undefined;
}

/** Joins words to lines; the head is not followed by a fold, so that no line is blank. */
export function fold(head: string, words: readonly string[]): string {
  let out = head;
  let length = head.length - (head.lastIndexOf('\n') + 1);
  for (const [index, word] of words.entries()) {
    if (index > 0 && word !== '' && length + 1 + word.length > SOFT_LINE) {
      out += '\r\n';
      length = 0;
    }
    out += ` ${word}`;
    length += 1 + word.length;
  }
  return out;
}

/** Quoted-printable of a text in UTF-8 with CRLF line ends (RFC 2045 6.7). */
export function quotedPrintable(text: string): string {
  return text
    .split('\r\n')
    .map((line) => quoteLine(line))
    .join('\r\n');
}

function quoteLine(line: string): string {
  let out = '';
  let length = 0;
  const bytes = Buffer.from(line, 'utf8');
  for (const [index, byte] of bytes.entries()) {
    const isLast = index === bytes.length - 1;
    const plain = (byte >= 0x21 && byte <= 0x7e && byte !== 0x3d) || (byte === 0x20 && !isLast);
    const piece = plain ? String.fromCharCode(byte) : hex(byte);
    if (length + piece.length > (isLast ? 76 : 75)) {
      out += '=\r\n';
      length = 0;
    }
    out += piece;
    length += piece.length;
  }
  return out;
}
