import { domainOf } from '../message/envelope.js';

/** Longest path of RFC 5321 4.5.3.1.3, without its angle brackets. */
const MAX_ADDRESS = 254;

/** The address of `Gatepost <gatepost@example.org>` or of a bare address, trimmed. */
export function addressOf(mailbox: string): string {
  const open = mailbox.lastIndexOf('<');
  const close = mailbox.lastIndexOf('>');
  return (open >= 0 && close > open ? mailbox.slice(open + 1, close) : mailbox).trim();
}

/** Whether the text can stand in RCPT TO: one `@`-separated pair without spaces, brackets and control characters. */
export function isDeliverable(address: string): boolean {
  return (
    Buffer.byteLength(address) <= MAX_ADDRESS &&
    /^[^\s<>,;:()\p{Cc}\p{Cf}\p{Cs}]+$/u.test(address) &&
    address.lastIndexOf('@') > 0 &&
    domainOf(address) !== ''
  );
}

export function localPartOf(address: string): string {
  const at = address.lastIndexOf('@');
  return at < 0 ? address : address.slice(0, at);
}

/** Whether the address belongs to one of our domains. A domain `*.example.org` stands for all below it. */
export function isInternal(address: string, domains: readonly string[]): boolean {
  const domain = domainOf(address);
  if (domain === '') return false;
  return domains.some((entry) => {
    const own = entry.toLowerCase();
    return own.startsWith('*.') ? domain.endsWith(own.slice(1)) : domain === own;
  });
}
