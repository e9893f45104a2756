import { domainToASCII, domainToUnicode } from 'node:url';
import { isAscii } from '../message/ascii.js';
import { leastQuoted } from '../message/local-part.js';
import { compileMask, fold, hasWildcard, type MaskTest } from './mask.js';
import { hasKey, keysOf } from './packed-keys.js';
import type { PackedList } from './packed-list.js';

/**
 * Form in which addresses are compared: folded, with the least quoting, and a domain without the dot of the root and with
 * U-labels in place of A-labels (`xn--`).
 */
export function foldAddress(address: string): string {
  return withoutRootDot(foldWritten(leastQuoted(address)));
}

/**
 * The same form of a mask. A wildcard in quotes keeps them: `"*"@example.org` takes the addresses of that domain that
 * cannot do without.
 */
export function foldAddressMask(mask: string): string {
  return mask.startsWith('"') && hasWildcard(mask.slice(0, mask.lastIndexOf('@') + 1)) ? foldWritten(mask) : foldWritten(leastQuoted(mask));
}

function foldWritten(address: string): string {
  const folded = withAsciiDots(fold(address));
  if (!folded.includes('xn--')) return folded;
  const at = folded.lastIndexOf('@');
  return folded.slice(0, at + 1) + unicodeDomain(folded.slice(at + 1));
}

/** Full stops of East Asian scripts separate labels as well (RFC 3490 3.1). */
function withAsciiDots(address: string): string {
  return /[\u3002\uff61]/.test(address) ? address.replace(/[\u3002\uff61]/g, '.') : address;
}

/** `example.org.` is `example.org`: the dot of the root (RFC 1034 3.1), which header fields may have. */
function withoutRootDot(address: string): string {
  return /[^.]\.$/.test(address) ? address.slice(0, -1) : address;
}

/** Label by label, so that a mask with wildcards in other labels is read as well. */
export function unicodeDomain(domain: string): string {
  return domain
    .split('.')
    .map((label) => (label.startsWith('xn--') && !hasWildcard(label) ? domainToUnicode(label) || label : label))
    .join('.');
}

/**
 * A folded address or domain with A-labels for its U-labels; undefined where the domain is ASCII, or no host name.
 */
export function asciiForm(folded: string): string | undefined {
  const at = folded.lastIndexOf('@');
  const domain = folded.slice(at + 1);
  if (isAscii(domain)) return undefined;
  const ascii = domainToASCII(domain);
  return ascii === '' ? undefined : folded.slice(0, at + 1) + ascii;
}

/** Whether a mask is about A-labels as such: it has a wildcard in one, so that it cannot be read as U-labels. */
export function asksForALabels(folded: string): boolean {
  return folded.includes('xn--');
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

/** @param folded by `foldAddressMask` where not given otherwise */
export function readAddressMask(mask: string, folded: string = foldAddressMask(mask)): AddressMask {
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

/** The masks under which an address may be filed: itself, its domain, and each domain above that. */
export function masksOver(address: string, visit: (mask: string) => boolean): boolean {
  if (visit(address)) return true;
  const at = address.lastIndexOf('@');
  if (at < 0) return false;
  const domain = address.slice(at + 1);
  if (visit(`*@${domain}`)) return true;
  for (let dot = domain.indexOf('.'); dot >= 0; dot = domain.indexOf('.', dot + 1))
    if (visit(`*@*.${domain.slice(dot + 1)}`)) return true;
  return false;
}

/** A set of address masks: addresses and domains cost one look-up each, however many there are. */
export class AddressSet {
  readonly all: boolean;
  /** Addresses, and masks such as `*@example.org` and `*@*.example.org`. */
  readonly exact = new Set<string>();
  readonly packs: readonly PackedList[];
  /** Masks with wildcards elsewhere. */
  readonly others: string[] = [];
  readonly takesNull: boolean;
  private readonly tests: MaskTest[] = [];
  private readonly looksAtDomains: boolean;

  /** @param packs lists, taken as if their entries stood among the masks */
  constructor(masks: readonly string[], packs: readonly PackedList[] = []) {
    let all = packs.some((pack) => pack.all);
    let takesNull = packs.some((pack) => pack.takesNull);
    let domains = packs.some((pack) => pack.hasDomains);
    for (const mask of masks) {
      const read = readAddressMask(mask);
      if (read.kind === 'all') all = true;
      else if (read.kind === 'null') takesNull = true;
      else if (read.kind === 'exact') this.exact.add(read.address);
      else if (read.kind === 'other') this.others.push(read.mask);
      else {
        domains = true;
        this.exact.add(read.kind === 'domain' ? `*@${read.domain}` : `*@*.${read.domain}`);
      }
    }
    this.packs = packs;
    for (const pack of packs) for (const mask of pack.others) this.others.push(foldAddressMask(mask));
    for (const mask of this.others) {
      const test = compileMask(mask);
      this.tests.push(asksForALabels(mask) ? (address) => test(address) || test(asciiForm(address) ?? address) : test);
    }
    this.all = all;
    this.takesNull = takesNull || all;
    this.looksAtDomains = domains;
  }

  /** Number of masks. */
  get size(): number {
    return this.exact.size + this.others.length + this.packs.reduce((sum, pack) => sum + pack.keys.count, 0);
  }

  get isEmpty(): boolean {
    return !this.all && !this.takesNull && this.size === 0;
  }

  /** Addresses and masks of domains, those of lists too. */
  *keys(): Generator<string> {
    yield* this.exact;
    for (const pack of this.packs) yield* keysOf(pack.keys);
  }

  /** @param address folded by `foldAddress`; the empty string is the null sender */
  has(address: string): boolean {
    if (address === '') return this.takesNull;
    if (this.all || this.holds(address)) return true;
    if (this.looksAtDomains && masksOver(address, (mask) => this.holds(mask))) return true;
    return this.tests.some((test) => test(address));
  }

  /** The same set without masks that have a `?`. */
  withoutSingles(): AddressSet {
    if (!this.others.some((mask) => mask.includes('?'))) return this;
    const packs = this.packs.map((pack) => ({ ...pack, others: [] }));
    const rest = new AddressSet(
      this.others.filter((mask) => !mask.includes('?')),
      packs,
    );
    for (const key of this.exact) rest.exact.add(key);
    return rest;
  }

  private holds(key: string): boolean {
    return this.exact.has(key) || this.packs.some((pack) => hasKey(pack.keys, key));
  }
}
