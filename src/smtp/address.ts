import { isIPv4, isIPv6 } from 'node:net';
import { domainToUnicode } from 'node:url';
import { canonicalDomain, isAscii } from '../message/ascii.js';
import { ATEXT, leastQuoted } from '../message/local-part.js';

const MAX_LOCAL = 64;
const MAX_DOMAIN = 255;
/** RFC 5321 4.5.3.1.3 counts the angle brackets. */
const MAX_PATH = 256;
const MAX_LABEL = 63;
const DOT_STRING = new RegExp(`^${ATEXT.source}+(?:\\.${ATEXT.source}+)*`);

/** A path of MAIL FROM or RCPT TO. */
export interface Path {
  /**
   * Without source route and angle brackets, the local part with the least quoting (RFC 5321 4.1.2), the domain in the
   * form that came in; empty for `<>`.
   */
  readonly address: string;
  readonly nonAscii: boolean;
  /** Offset behind the closing bracket. */
  readonly end: number;
}

/**
 * Reads a path by RFC 5321 4.1.2, with the extensions of RFC 6531 3.3.
 * @param at offset of the opening bracket
 * @returns undefined when it is none
 */
export function parsePath(text: string, at: number): Path | undefined {
  if (text[at] !== '<') return undefined;
  if (text[at + 1] === '>') return { address: '', nonAscii: false, end: at + 2 };
  let start = at + 1;
  // A source route is accepted and ignored (RFC 5321 appendix C).
  const route = /^@[A-Za-z0-9.-]+(?:,@[A-Za-z0-9.-]+)*:/.exec(text.slice(start, start + MAX_PATH));
  if (route !== null) start += route[0].length;
  const localEnd = endOfLocal(text, start);
  if (localEnd === undefined) return undefined;
  const close = text.indexOf('>', localEnd);
  if (close < 0) return undefined;
  const local = text.slice(start, localEnd);
  const address = text.slice(start, close);
  if (text[localEnd] !== '@') {
    return localEnd === close && /^postmaster$/i.test(local) ? { address, nonAscii: false, end: close + 1 } : undefined;
  }
  const domain = text.slice(localEnd + 1, close);
  if (Buffer.byteLength(local) > MAX_LOCAL || Buffer.byteLength(domain) > MAX_DOMAIN) return undefined;
  if (Buffer.byteLength(address) + 2 > MAX_PATH || !isDomain(domain)) return undefined;
  return { address: leastQuoted(address), nonAscii: !isAscii(address), end: close + 1 };
}

/** Domain or address literal (RFC 5321 4.1.2, 4.1.3). */
export function isDomain(domain: string): boolean {
  if (domain.startsWith('[')) return isAddressLiteral(domain);
  const ascii = canonicalDomain(domain);
  // RFC 5890 2.3.2.1: a U-label is what its A-label says, and nothing that only looks or reads like it.
  if (!isAscii(domain) && domainToUnicode(ascii) !== domain.toLowerCase().normalize('NFC')) return false;
  return (
    ascii !== '' &&
    ascii.length <= MAX_DOMAIN &&
    ascii.split('.').every((label) => label.length <= MAX_LABEL && /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/.test(label))
  );
}

export function isAddressLiteral(text: string): boolean {
  const inside = /^\[([^\]]*)\]$/.exec(text)?.[1];
  if (inside === undefined) return false;
  return /^IPv6:/i.test(inside) ? isIPv6(inside.slice(5)) : isIPv4(inside);
}

/** Dot-string or quoted string. @returns the offset behind it */
function endOfLocal(text: string, start: number): number | undefined {
  if (text[start] === '"') {
    const quoted = /^"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\[\x20-\x7e]|[^\x00-\x9f\ufffd])*"/u.exec(
      text.slice(start, start + MAX_PATH),
    );
    return quoted === null ? undefined : start + quoted[0].length;
  }
  const dotString = DOT_STRING.exec(text.slice(start, start + MAX_PATH));
  return dotString === null ? undefined : start + dotString[0].length;
}
