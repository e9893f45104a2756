import { domainToASCII } from 'node:url';
import { getDomain } from 'tldts';

/** A domain in lower case as A-labels; empty when it is none. */
export function asciiDomain(domain: string): string {
  const plain = domain.trim().toLowerCase().replace(/\.$/, '');
  // What node:url would take for something else, such as an address in digits, is left as it is.
  if (/^[a-z0-9._-]*$/.test(plain)) return plain;
  return domainToASCII(plain);
}

/**
 * The organizational domain (RFC 7489 3.2) by the public suffix list, private suffixes included; a public suffix is its
 * own.
 */
export function organizationalDomain(domain: string): string {
  return getDomain(domain, { allowPrivateDomains: true, validateHostname: false }) ?? domain;
}
