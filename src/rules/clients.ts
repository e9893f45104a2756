import { addressWords, NetworkRanges, type Network, type Words } from '../config/network-ranges.js';
import { parseNetwork } from '../config/networks.js';
import type { MasksAndLists } from './list-entries.js';

/** Addresses and networks of machines. */
export class ClientSet {
  /** Absent where a list is among them. */
  readonly networks?: readonly Network[];
  private readonly ranges: readonly NetworkRanges[];

  constructor({ masks, lists }: MasksAndLists) {
    const networks = masks.flatMap((mask) => {
      const parsed = parseNetwork(mask);
      return 'error' in parsed
        ? []
        : [{ words: addressWords(parsed.network[0].toByteArray()), bits: parsed.network[1] }];
    });
    if (lists.length === 0) this.networks = networks;
    this.ranges = [
      new NetworkRanges(networks),
      ...lists.flatMap((list) => (list.networks === undefined ? [] : [new NetworkRanges(list.networks)])),
    ].filter(({ size }) => size > 0);
  }

  get isEmpty(): boolean {
    return this.ranges.length === 0;
  }

  /** An address that belongs to the set. */
  get example(): Words | undefined {
    return this.ranges[0]?.first;
  }

  has(words: Words | undefined): boolean {
    return words !== undefined && this.ranges.some((range) => range.has(words));
  }

  /** Whether each range of the other lies in one of these. */
  covers(other: ClientSet): boolean {
    return other.every((first, last) => this.ranges.some((range) => range.hasAll(first, last)));
  }

  /** Whether no address belongs to both. */
  isApartFrom(other: ClientSet): boolean {
    return (
      other.every((first) => !this.has(first)) && this.every((first) => !other.has(first))
    );
  }

  private every(holds: (first: Words, last: Words) => boolean): boolean {
    return this.ranges.every((range) => range.every(holds));
  }
}
