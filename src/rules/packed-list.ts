import { addressWords, RangeCollector, type RangeData } from '../config/network-ranges.js';
import { parseNetwork } from '../config/networks.js';
import { foldAddressMask, masksOver, readAddressMask } from './addresses.js';
import { compileMask, fold } from './mask.js';
import { hasKey, KeyBuilder, type KeyData } from './packed-keys.js';

/**
 * The entries of a list in a form that threads share and that is looked up without being read again: a list of a
 * million addresses is in memory once. Plain data.
 */
export interface PackedList {
  /** Folded addresses and texts without wildcards, and masks of the forms `*@domain` and `*@*.domain`. */
  readonly keys: KeyData;
  readonly hasDomains: boolean;
  /** Masks with wildcards elsewhere, as written. */
  readonly others: readonly string[];
  /** `*` is among the entries. */
  readonly all: boolean;
  /** `<>` is among the entries. */
  readonly takesNull: boolean;
  /** Entries that are addresses of machines or networks; only where the list is used for them. */
  readonly networks?: RangeData;
}

/** Builds a `PackedList` entry by entry. */
export class ListPacker {
  private readonly keys = new KeyBuilder();
  private readonly others: string[] = [];
  private readonly networks = new RangeCollector();
  private hasDomains = false;
  private all = false;
  private takesNull = false;

  add(entry: string): void {
    const folded = fold(entry);
    this.addFolded(entry, folded);
    const address = foldAddressMask(entry);
    if (address !== folded) this.addFolded(entry, address);
  }

  /** An address of plain ASCII without wildcards, or `*@` and such a domain. */
  addPlain(bytes: Uint8Array, start: number, end: number): void {
    if (bytes[start] === STAR) this.hasDomains = true;
    this.keys.addBytes(bytes, start, end, true);
  }

  addNetwork(words: readonly number[], bits: number): void {
    this.networks.add({ words, bits });
  }

  /** @param withNetworks the list is used for addresses of machines */
  build(withNetworks: boolean): PackedList {
    return {
      keys: this.keys.build(),
      hasDomains: this.hasDomains,
      others: this.others,
      all: this.all,
      takesNull: this.takesNull,
      ...(withNetworks ? { networks: this.networks.build() } : {}),
    };
  }

  private addFolded(entry: string, folded: string): void {
    const read = readAddressMask(entry, folded);
    if (read.kind === 'all') this.all = true;
    else if (read.kind === 'null') this.takesNull = true;
    else if (read.kind === 'other') this.others.push(entry);
    else {
      if (read.kind !== 'exact') this.hasDomains = true;
      this.keys.add(folded);
    }
  }
}

const STAR = 0x2a;

/** Packs entries as a list file would hold them; those that are networks can be looked up as such. */
export function packList(entries: Iterable<string>): PackedList {
  const packer = new ListPacker();
  for (const entry of entries) {
    packer.add(entry);
    const parsed = parseNetwork(entry);
    if ('network' in parsed) packer.addNetwork(addressWords(parsed.network[0].toByteArray()), parsed.network[1]);
  }
  return packer.build(true);
}

/** A test for texts that are no addresses. @returns whether an entry is a mask for the folded text */
export function textTest(list: PackedList): (folded: string) => boolean {
  const tests = [...new Set(list.others)].map(compileMask);
  return (folded) =>
    list.all ||
    hasKey(list.keys, folded) ||
    (list.takesNull && folded === '<>') ||
    (list.hasDomains && folded.includes('@') && masksOver(folded, (mask) => hasKey(list.keys, mask))) ||
    tests.some((test) => test(folded));
}
