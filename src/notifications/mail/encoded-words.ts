import type { MailCharset } from './charset.js';

/** RFC 2047 2: of a word, and of a line that has one. */
const MAX_WORD = 75;
/** What stands for itself in a text, and in a phrase (RFC 2047 5 (3)). */
const IN_TEXT = /^[A-Za-z0-9!*+/.,:;()[\]@#$%&'-]$/;
const IN_PHRASE = /^[A-Za-z0-9!*+/-]$/;
/** Q can be read with the naked eye: it may be so much longer. */
const Q_PREFERENCE = 1.25;

/**
 * A text as encoded words (RFC 2047), between any two of which a line may be folded. Each holds whole characters and, in
 * a charset with shifts, ends in ASCII. Q or B, whichever is shorter, with some preference for Q.
 * @param text writable in the charset
 * @param place a phrase is the name of a mailbox
 * @param used characters that the line of the first word has already, with the space before it
 */
export function encodedWords(
  text: string,
  charset: MailCharset,
  place: 'text' | 'phrase',
  used: number,
): readonly string[] {
  const plain = place === 'text' ? IN_TEXT : IN_PHRASE;
  const whole = charset.bytes(text);
  // RFC 1468 has B for what shifts.
  const q =
    charset.mime !== 'iso-2022-jp' && encodeQ(whole, plain).length <= Math.ceil(whole.length / 3) * 4 * Q_PREFERENCE;
  const wordOf = (chunk: string): string => {
    const bytes = charset.bytes(chunk);
    return `=?${charset.mime}?${q ? 'Q' : 'B'}?${q ? encodeQ(bytes, plain) : bytes.toString('base64')}?=`;
  };
  const words: string[] = [];
  let chunk = '';
  let room = Math.max(MAX_WORD - used, MAX_WORD / 2);
  for (const character of text) {
    if (chunk !== '' && wordOf(chunk + character).length > room) {
      words.push(wordOf(chunk));
      chunk = '';
      room = MAX_WORD;
    }
    chunk += character;
  }
  return chunk === '' ? words : [...words, wordOf(chunk)];
}

function encodeQ(bytes: Buffer, plain: RegExp): string {
  return Array.from(bytes, (byte) => {
    const character = String.fromCharCode(byte);
    if (character === ' ') return '_';
    return plain.test(character) ? character : `=${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }).join('');
}
