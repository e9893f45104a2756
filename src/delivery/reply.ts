import type { SmtpReplyLines } from './client/reply-parser.js';
import type { HopReply } from './types.js';

/** Longest text of a reply that is kept: it goes into one line of ours, the spool and the journal. */
const MAX_TEXT = 400;

/** A server's reply for people, our own replies and files: one line, no control characters, bounded. */
export function toHopReply(reply: SmtpReplyLines): HopReply {
  const first = /^([245]\.\d{1,3}\.\d{1,3})(?:\s|$)/.exec(reply.lines[0] ?? '')?.[1];
  const texts =
    first === undefined
      ? reply.lines
      : reply.lines.map((line) => line.replace(/^[245]\.\d{1,3}\.\d{1,3}(?:\s+|$)/, ''));
  const text = cleanText(texts.join(' '));
  return { code: reply.code, ...(first === undefined ? {} : { enhanced: first }), text };
}

/** Text of another system without control and direction characters, spaces folded, at most 400 characters. */
export function cleanText(text: string): string {
  const clean = text
    .replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\u2028\u2029\uFFFD]+/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  return clean.length > MAX_TEXT ? `${clean.slice(0, MAX_TEXT - 1).replace(/[\uD800-\uDBFF]$/, '')}…` : clean;
}

/** Our own words where no server said any. */
export function ownReply(code: number, enhanced: string, text: string): HopReply {
  return { code, enhanced, text, own: true };
}

/** `450 4.2.1 text`, as lists, logs and the journal show it. */
export function replyLine(reply: HopReply): string {
  return [reply.code, reply.enhanced, reply.text].filter((part) => part !== undefined && part !== '').join(' ');
}
