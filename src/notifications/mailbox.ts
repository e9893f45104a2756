import { canonicalDomain, withAsciiDomain } from '../message/ascii.js';
import { domainOf } from '../message/envelope.js';

/** Longest path of RFC 5321 4.5.3.1.3, without its angle brackets. */
const MAX_ADDRESS = 254;

/** The address of `Gatepost <gatepost@example.org>` or of a bare address, trimmed. */
export function addressOf(mailbox: string): string {
  const open = mailbox.lastIndexOf('<');
  const close = mailbox.lastIndexOf('>');
  return (open >= 0 && close > open ? mailbox.slice(open + 1, close) : mailbox).trim();
}

/** In quotes, a local part may have spaces and signs that divide addresses elsewhere (RFC 5321 4.1.2). */
const DELIVERABLE =
  /^(?:"(?:[^\s"\\<>\p{Cc}\p{Cf}\p{Cs}]| )+"@[^\s@"<>,;:()\p{Cc}\p{Cf}\p{Cs}]+|[^\s<>,;:()\p{Cc}\p{Cf}\p{Cs}]+)$/u;

/** Whether the text can stand in RCPT TO: one `@`-separated pair without brackets, control characters, and spaces but in quotes. */
export function isDeliverable(address: string): boolean {
  return (
    Buffer.byteLength(address) <= MAX_ADDRESS &&
    DELIVERABLE.test(address) &&
    address.lastIndexOf('@') > 0 &&
    domainOf(address) !== ''
  );
}

export function localPartOf(address: string): string {
  const at = address.lastIndexOf('@');
  return at < 0 ? address : address.slice(0, at);
}

/** Whether two addresses mean the same mailbox to us: capitals do not count, nor does how a domain is spelled. */
export function isSameAddress(one: string, other: string): boolean {
  return comparable(one) === comparable(other);
}

/** An address as it is compared: in lower case, its domain in A-labels. */
export function comparable(address: string): string {
  return withAsciiDomain(address).toLowerCase();
}

/**
 * Whether the address belongs to one of our domains, however either is spelled.
 * @param domains as configured
 */
export function isInternal(address: string, domains: readonly string[]): boolean {
  const domain = canonicalDomain(domainOf(address));
  return domain !== '' && ownDomains(domains).has(domain);
}

/** A list lives as long as its configuration: it is put into A-labels once. */
const known = new WeakMap<readonly string[], ReadonlySet<string>>();

function ownDomains(domains: readonly string[]): ReadonlySet<string> {
  const before = known.get(domains);
  if (before !== undefined) return before;
  const made = new Set(domains.map(canonicalDomain).filter((domain) => domain !== ''));
  known.set(domains, made);
  return made;
}
