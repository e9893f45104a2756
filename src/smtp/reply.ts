import type { SmtpReply } from '../rules/types.js';

/** RFC 5321 4.5.3.1.5 allows 512 octets for a line; the code, the enhanced code and CRLF need some. */
const MAX_LINE = 480;
const MAX_LINES = 20;

const CONTROL = /[\x00-\x1f\x7f-\x9f]/;
const ALL_CONTROL = /[\x00-\x1f\x7f-\x9f]/g;

/**
 * The lines of a reply, each with the enhanced status code (RFC 2034 4). Text of any origin is made fit for the wire:
 * control characters become spaces, and other characters than ASCII a question mark unless the client asked for
 * SMTPUTF8 (RFC 6531 3.7.4.2).
 */
export function replyLines(reply: SmtpReply, utf8: boolean): string | string[] {
  const enhanced = enhancedCode(reply);
  const clean = reply.text.replace(/[\x00-\x1f\x7f-\x9f\s]+/g, ' ').trim();
  const text = utf8 ? clean : clean.replace(/[^\x20-\x7e]/gu, '?');
  if (text.length <= MAX_LINE && Buffer.byteLength(text) <= MAX_LINE) return `${enhanced} ${text}`;
  return wrap(text).map((line) => `${enhanced} ${line}`);
}

/**
 * A reply as it goes over the wire (RFC 5321 4.2.1), with its line ends.
 * @param enhanced put before each line; empty for none
 */
export function replyText(code: number, enhanced: string, data: string | readonly string[]): string {
  const prefix = enhanced === '' ? '' : `${enhanced} `;
  if (typeof data === 'string') return `${code} ${prefix}${plain(data)}\r\n`;
  return data.map((line, i) => `${code}${i < data.length - 1 ? '-' : ' '}${prefix}${plain(line)}\r\n`).join('');
}

/** The last guard against a reply within a reply. */
function plain(line: string): string {
  return CONTROL.test(line) ? line.replaceAll(ALL_CONTROL, ' ') : line;
}

/** The reply as it goes into logs and journals, on one line. */
export function formatReply(reply: SmtpReply): string {
  return `${reply.code} ${enhancedCode(reply)} ${reply.text}`;
}

/** The given enhanced code, if it is one and of the class of the reply code; else the general one of that class. */
function enhancedCode(reply: SmtpReply): string {
  const kind = String(Math.floor(reply.code / 100));
  return /^[245]\.\d{1,3}\.\d{1,3}$/.test(reply.enhanced) && reply.enhanced.startsWith(kind)
    ? reply.enhanced
    : `${kind}.0.0`;
}

function wrap(text: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const character of text) {
    if (Buffer.byteLength(line) + 4 > MAX_LINE || (character === ' ' && Buffer.byteLength(line) > MAX_LINE - 80)) {
      lines.push(line);
      line = '';
      if (lines.length === MAX_LINES) return lines;
    }
    line += character;
  }
  return line === '' ? lines : [...lines, line];
}
