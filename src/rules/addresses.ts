import { domainToUnicode } from 'node:url';
import { compileMask, fold, hasWildcard, type MaskTest } from './mask.js';

/** Form in which addresses are compared: folded, and a domain written with A-labels (`xn--`) in U-labels. */
export function foldAddress(address: string): string {
  const folded = fold(address);
  if (!folded.includes('xn--')) return folded;
  const at = folded.lastIndexOf('@');
  return folded.slice(0, at + 1) + unicodeDomain(folded.slice(at + 1));
}

/** Label by label, so that a mask with wildcards in other labels is read as well. */
export function unicodeDomain(domain: string): string {
  return domain
    .split('.')
    .map((label) => (label.startsWith('xn--') && !hasWildcard(label) ? domainToUnicode(label) || label : label))
    .join('.');
}

/** How an address mask is looked up. */
export type AddressMask =
  | { readonly kind: 'all' }
  | { readonly kind: 'null' }
  | { readonly kind: 'exact'; readonly address: string }
  /** `*@example.org` */
  | { readonly kind: 'domain'; readonly domain: string }
  /** `*@*.example.org`: any subdomain. */
  | { readonly kind: 'subdomains'; readonly domain: string }
  | { readonly kind: 'other'; readonly mask: string };

export function readAddressMask(mask: string): AddressMask {
  const folded = foldAddress(mask);
  if (folded === '*') return { kind: 'all' };
  if (folded === '<>') return { kind: 'null' };
  if (!hasWildcard(folded)) return { kind: 'exact', address: folded };
  const rest = folded.startsWith('*@') ? folded.slice(2) : '';
  if (rest !== '' && !rest.includes('@')) {
    if (!hasWildcard(rest)) return { kind: 'domain', domain: rest };
    if (rest.startsWith('*.') && !hasWildcard(rest.slice(2))) return { kind: 'subdomains', domain: rest.slice(2) };
  }
  return { kind: 'other', mask: folded };
}

/** A set of address masks: addresses and domains cost one look-up each, however many there are. */
export class AddressSet {
  readonly all: boolean;
  readonly exact = new Set<string>();
  readonly domains = new Set<string>();
  readonly subdomains = new Set<string>();
  private readonly takesNull: boolean;
  private readonly tests: MaskTest[] = [];

  constructor(masks: readonly string[]) {
    let all = false;
    let takesNull = false;
    for (const mask of masks) {
      const read = readAddressMask(mask);
      if (read.kind === 'all') all = true;
      else if (read.kind === 'null') takesNull = true;
      else if (read.kind === 'exact') this.exact.add(read.address);
      else if (read.kind === 'domain') this.domains.add(read.domain);
      else if (read.kind === 'subdomains') this.subdomains.add(read.domain);
      else this.tests.push(compileMask(read.mask));
    }
    this.all = all;
    this.takesNull = takesNull || all;
  }

  /** Whether everything that the set takes is found by address and domain alone. */
  get indexable(): boolean {
    return !this.all && !this.takesNull && this.tests.length === 0;
  }

  get size(): number {
    return this.exact.size + this.domains.size + this.subdomains.size + this.tests.length;
  }

  /** @param address folded by `foldAddress`; the empty string is the null sender */
  has(address: string): boolean {
    if (address === '') return this.takesNull;
    if (this.all || this.exact.has(address)) return true;
    if (this.domains.size > 0 || this.subdomains.size > 0) {
      const domain = address.slice(address.lastIndexOf('@') + 1);
      if (this.domains.has(domain)) return true;
      if (this.subdomains.size > 0 && parentDomains(domain).some((parent) => this.subdomains.has(parent))) return true;
    }
    return this.tests.some((test) => test(address));
  }
}

/** `a.b.c`: `b.c`, `c`. */
export function parentDomains(domain: string): string[] {
  const parents: string[] = [];
  for (let dot = domain.indexOf('.'); dot >= 0; dot = domain.indexOf('.', dot + 1)) parents.push(domain.slice(dot + 1));
  return parents;
}
