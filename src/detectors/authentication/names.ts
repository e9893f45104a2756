import { domainToASCII } from 'node:url';
import { getDomain } from 'tldts';
import { isAscii } from '../../message/ascii.js';

/** A domain in lower case as A-labels; empty when it is none. */
export function asciiDomain(domain: string): string {
  const plain = domain.trim().toLowerCase().replace(/\.$/, '');
  // What node:url would take for something else, such as an address in digits, is left as it is.
  if (/^[a-z0-9._-]*$/.test(plain)) return plain;
  return domainToASCII(plain);
}

/**
 * A domain or selector of a signature as A-labels, by which it is asked for and compared (RFC 8616 3, 5); empty when it is
 * none. U-labels stand in a field as UTF-8 (RFC 6532 3.1).
 * @param name one character a byte
 */
export function asciiName(name: string): string {
  if (!/^[A-Za-z0-9._\x80-\xff-]+$/.test(name)) return '';
  const text = Buffer.from(name, 'latin1').toString('utf8');
  // With a label of letters behind it, a selector that ends in a number is not taken for an address.
  return isAscii(text) ? text : domainToASCII(`${text}.invalid`).slice(0, -'.invalid'.length);
}

/**
 * The organizational domain (RFC 7489 3.2) by the public suffix list, private suffixes included; a public suffix is its
 * own.
 */
export function organizationalDomain(domain: string): string {
  return getDomain(domain, { allowPrivateDomains: true, validateHostname: false }) ?? domain;
}
