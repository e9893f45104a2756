import { isAscii, withAsciiDomain } from '../../message/ascii.js';
import { fold } from '../../message/edit/encode.js';
import { addressOf } from '../mailbox.js';
import { headerSafe } from '../safe-text.js';
import type { MailCharset } from './charset.js';
import { encodedWords } from './encoded-words.js';

/** Longer words without a space are encoded, as encoded words can be folded. */
const LONG_WORD = /[^ ]{68}/;
/** RFC 5322 3.2.3, with the spaces between atoms. */
const ATOMS = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+$/;

/** A text for a header field: one line, without characters that control, turn the direction, or are half of one. */
export function fieldText(text: string): string {
  return headerSafe(
    text
      .replace(/[\r\n\t\v\f\u0085\u2028\u2029]+/g, ' ')
      .replace(/\p{Cc}/gu, '')
      .replace(/\p{Cs}/gu, '\ufffd'),
  ).trim();
}

/** An unstructured field with its CRLF, in the charset where it is not ASCII, folded. */
export function textField(name: string, text: string, charset: MailCharset): string {
  const value = charset.writable(fieldText(text));
  const plain = isAscii(value) && !value.includes('=?') && !LONG_WORD.test(value);
  const words = plain ? value.split(' ') : encodedWords(value, charset, 'text', name.length + 2);
  return `${fold(`${name}:`, words)}\r\n`;
}

/** A field of our own whose value is ASCII: what is not becomes a question mark. */
export function plainField(name: string, value: string): string {
  return `${fold(
    `${name}:`,
    fieldText(value)
      .replace(/[^\x20-\x7e]/gu, '?')
      .split(' '),
  )}\r\n`;
}

/** The From field of `Name <address>` or of a bare address (RFC 5322 3.4). */
export function mailboxField(name: string, mailbox: string, charset: MailCharset): string {
  const address = headerAddress(addressOf(mailbox));
  const open = mailbox.lastIndexOf('<');
  const quoted = open < 0 ? '' : mailbox.slice(0, open).trim();
  const bare = /^"(.*)"$/s.exec(quoted)?.[1]?.replace(/\\(.)/gs, '$1') ?? quoted;
  const display = charset.writable(fieldText(bare));
  if (display === '') return `${fold(`${name}:`, [address])}\r\n`;
  return `${fold(`${name}:`, [...phrase(display, charset, name.length + 2), `<${address}>`])}\r\n`;
}

function phrase(display: string, charset: MailCharset, used: number): readonly string[] {
  if (!isAscii(display) || display.includes('=?') || LONG_WORD.test(display))
    return encodedWords(display, charset, 'phrase', used);
  if (ATOMS.test(display)) return display.split(' ');
  return `"${display.replace(/["\\]/g, '\\$&')}"`.split(' ');
}

/** A field of addresses without names. */
export function addressField(name: string, addresses: readonly string[]): string {
  const words = addresses.map((address, index) => headerAddress(address) + (index < addresses.length - 1 ? ',' : ''));
  return `${fold(`${name}:`, words)}\r\n`;
}

/** An address as it stands in a field: its domain in ASCII, which every server takes (RFC 5891 4.4). Spaces stand in quotes alone. */
export function headerAddress(address: string): string {
  const kept = address.replace(/[\p{Cc}\p{Cf}\p{Cs}<>]|[^\S ]/gu, '');
  return withAsciiDomain(/^"[^"]*"@/.test(kept) ? kept : kept.replaceAll(' ', ''));
}

/** RFC 5322 3.3, in UTC. @param now ms since the epoch */
export function dateField(now: number): string {
  return `Date: ${new Date(now).toUTCString().replace('GMT', '+0000')}\r\n`;
}
