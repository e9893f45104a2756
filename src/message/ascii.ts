import { domainToASCII } from 'node:url';

/** Whether a text has only characters of US-ASCII. */
export function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) if (text.charCodeAt(i) > 127) return false;
  return true;
}

/**
 * The domain of an address as A-labels in lower case, for comparing; an address literal stays as it is.
 * Empty when the address has none, or one that cannot be written in A-labels.
 */
export function canonicalDomain(domain: string): string {
  return isAscii(domain) ? domain.toLowerCase() : domainToASCII(domain);
}

/** An address with its domain in A-labels, which every server takes (RFC 5891 4.4); as it is where there are none. */
export function withAsciiDomain(address: string): string {
  const at = address.lastIndexOf('@');
  const domain = address.slice(at + 1);
  if (at < 0 || isAscii(domain)) return address;
  return address.slice(0, at + 1) + (domainToASCII(domain) || domain);
}
