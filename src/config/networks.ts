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
    return { error: `"${text}" is not an IP address or network`, hint: networkMeant(text.trim()) };
  const parsed = ipaddr.parse(host);
  const mapped = parsed instanceof ipaddr.IPv6 && parsed.isIPv4MappedAddress();
  const address = ipaddr.process(host);
  const width = address.kind() === 'ipv4' ? 32 : 128;
  if (bits === undefined) return { network: [address, width] };
  const length = /^\d{1,3}$/.test(bits) ? Number(bits) - (mapped ? 96 : 0) : -1;
  if (length < 0 || length > width) {
    const mask = prefixOfMask(bits);
    return mask !== undefined && width === 32
      ? {
          error: `"${text}": the netmask is written as a number here`,
          hint: `did you mean ${networkBase(address, mask).toString()}/${mask}?`,
        }
      : {
          error: `"${text}": the number behind the slash cannot be ${bits}`,
          hint: `it is 0 to ${width}: how many bits of the address the network has`,
        };
  }
  const base = networkBase(address, length);
  if (base.toString() !== address.toString())
    return {
      error: `"${text}" is an address inside a network, and not the network's first one`,
      hint: `did you mean the network ${base.toString()}/${length}, or the single address ${address.toString()}?`,
    };
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

/** Bits of a netmask such as 255.255.255.0; undefined when it is none. */
function prefixOfMask(text: string): number | undefined {
  if (!ipaddr.IPv4.isValidFourPartDecimal(text)) return undefined;
  return ipaddr.IPv4.parse(text).prefixLengthFromSubnetMask() ?? undefined;
}

const FORMS = 'write it as 192.0.2.1, 192.0.2.0/24 or 2001:db8::/32';

/** What was probably meant by a text that is no network. */
function networkMeant(text: string): string {
  const wildcards = /^((?:\d{1,3}\.){1,3})(?:\*|x)(?:\.(?:\*|x))*$/i.exec(text)?.[1];
  if (wildcards !== undefined) {
    const given = wildcards.split('.').filter((part) => part !== '');
    const base = [...given, '0', '0', '0'].slice(0, 4).join('.');
    if (isAddress(base)) return `did you mean ${base}/${given.length * 8}?`;
  }
  if (/^[\d.]+\s*-\s*[\d.]+$/.test(text)) return `a range cannot stand here: ${FORMS}`;
  if (/^\d{1,3}(\.\d{1,3}){3}(\/|$)/.test(text)) return 'each of its four numbers is 0 to 255, without leading zeros';
  if (/^\d{1,3}(\.\d{1,3}){0,2}\/\d+$/.test(text))
    return `write all four numbers: ${text.replace(/\/.*$/, '')}${'.0'.repeat(4 - text.split('.').length)}/${text.replace(/^.*\//, '')}`;
  if (/[a-z].*\./i.test(text) && !text.includes(':')) return `names are not looked up: ${FORMS}`;
  return FORMS;
}
