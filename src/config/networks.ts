import ipaddr from 'ipaddr.js';
import { addressWords, NetworkRanges, type Words } from './network-ranges.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** An IP address in its shortest form; an IPv4-mapped one as IPv4. Undefined when it is none. */
export function canonicalAddress(text: string): string | undefined {
  const bare = text.replace(/^IPv6:/i, '').replace(/%.*$/, '');
  if (!isAddress(bare)) return undefined;
  return ipaddr.process(bare).toString();
}

/** An address as the numbers that it is made of: one of 32 bits for IPv4, four for IPv6. Undefined when it is none. */
export function wordsOf(text: string): Words | undefined {
  const bare = text.replace(/^IPv6:/i, '').replace(/%.*$/, '');
  return isAddress(bare) ? addressWords(ipaddr.process(bare).toByteArray()) : undefined;
}

/** A set of addresses and networks that answers whether a client belongs to it. */
export interface NetworkSet {
  has(address: string): boolean;
  readonly size: number;
}

export type NetworkParse =
  { readonly network: readonly [Address, number] } | { readonly error: string; readonly hint?: string };

/** `192.0.2.1`, `192.0.2.0/24`, `2001:db8::/32`. */
export function parseNetwork(text: string): NetworkParse {
  const [host = '', bits, ...rest] = text.trim().split('/');
  if (!isAddress(host) || rest.length > 0)
    return {
      error: `"${text}" is not an IP address or network`,
      hint: 'write it as 192.0.2.1, 192.0.2.0/24 or 2001:db8::/32',
    };
  const parsed = ipaddr.parse(host);
  const mapped = parsed instanceof ipaddr.IPv6 && parsed.isIPv4MappedAddress();
  const address = ipaddr.process(host);
  const width = address.kind() === 'ipv4' ? 32 : 128;
  if (bits === undefined) return { network: [address, width] };
  const length = /^\d{1,3}$/.test(bits) ? Number(bits) - (mapped ? 96 : 0) : -1;
  if (length < 0 || length > width)
    return { error: `"${text}": a prefix length of ${bits} is not possible here`, hint: `it is 0 to ${width}` };
  const base = networkBase(address, length);
  if (base.toString() !== address.toString())
    return { error: `"${text}" has bits set behind its prefix`, hint: `did you mean ${base.toString()}/${length}?` };
  return { network: [address, length] };
}

/** @throws Error when one of the entries is no network; check them with parseNetwork first */
export function networkSet(entries: readonly string[]): NetworkSet {
  const ranges = new NetworkRanges(
    entries.map((entry) => {
      const parsed = parseNetwork(entry);
      if ('error' in parsed) throw new Error(parsed.error);
      const [address, bits] = parsed.network;
      return { words: addressWords(address.toByteArray()), bits };
    }),
  );
  return {
    size: entries.length,
    has(text) {
      const words = wordsOf(text);
      return words !== undefined && ranges.has(words);
    },
  };
}

function networkBase(address: Address, length: number): Address {
  const bytes = address
    .toByteArray()
    .map((byte, i) => byte & (0xff << Math.max(0, Math.min(8, 8 - (length - i * 8)))) & 0xff);
  return ipaddr.fromByteArray(bytes);
}

/** Stricter than ipaddr.js alone, which takes `127.1` and `0x7f.1`. */
function isAddress(text: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(text) || (text.includes(':') && ipaddr.IPv6.isValid(text));
}
