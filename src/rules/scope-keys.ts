import { prefixOf, type Network, type Words } from '../config/network-ranges.js';
import { asksForALabels, masksOver, type AddressSet } from './addresses.js';
import type { ClientSet } from './clients.js';
import { LiteralFinder } from './literal-finder.js';

/** Sets with more entries are not spread over the index: such a set is looked into once for all rules that use it. */
const MAX_SPREAD = 64;

/** Of a mask no more than this many characters are looked for. */
const MAX_LITERAL = 48;

/** Chooses the part of a mask that the fewest others share. */
export type LiteralChoice = (mask: string) => string | undefined;

/** What a scope's addresses are filed under. */
export interface AddressFiling {
  /** Addresses and masks of domains. */
  readonly exact: readonly string[];
  /** Texts of which an address holds one where a mask takes it. */
  readonly literals: readonly string[];
  readonly takesNull: boolean;
  /** The set as a whole, instead. */
  readonly whole?: AddressSet;
}

/** Where the addresses of a scope are filed; undefined when they rule out too little. */
export function fileAddresses(set: AddressSet | undefined, choose: LiteralChoice): AddressFiling | undefined {
  if (set === undefined || set.all) return undefined;
  if (set.size > MAX_SPREAD) return { exact: [], literals: [], takesNull: false, whole: set };
  const literals: string[] = [];
  for (const mask of set.others) {
    const literal = choose(mask);
    if (literal === undefined) return undefined;
    literals.push(literal);
  }
  return { exact: [...set.keys()], literals, takesNull: set.takesNull };
}

/** Counts the parts between wildcards of all masks, and chooses the rarest of a mask. */
export function rarestLiterals(sets: readonly (AddressSet | undefined)[]): LiteralChoice {
  const counts = new Map<string, number>();
  for (const set of sets) {
    if (set === undefined || set.size > MAX_SPREAD) continue;
    for (const mask of set.others)
      for (const literal of literalsOf(mask)) counts.set(literal, (counts.get(literal) ?? 0) + 1);
  }
  return (mask) => {
    // An address is looked for by its U-labels.
    if (asksForALabels(mask)) return undefined;
    let best: string | undefined;
    for (const literal of literalsOf(mask)) {
      const difference = best === undefined ? -1 : (counts.get(literal) ?? 0) - (counts.get(best) ?? 0);
      if (best === undefined || difference < 0 || (difference === 0 && literal.length > best.length)) best = literal;
    }
    return best;
  };
}

function literalsOf(mask: string): string[] {
  return mask
    .split(/[*?]+/)
    .filter((part) => part !== '')
    .map((part) => part.slice(0, MAX_LITERAL));
}

type Filed = Map<string, number[]>;

/** Positions of rules by the addresses of their scope. */
export class AddressKeys {
  isEmpty = true;
  private readonly exact: Filed = new Map<string, number[]>();
  private readonly literals: Filed = new Map<string, number[]>();
  private readonly wholes = new Map<AddressSet, number[]>();
  private readonly ofNull: number[] = [];
  private finder = new LiteralFinder([]);
  private atLiteral: readonly (readonly number[])[] = [];
  private looksAtDomains = false;

  add(filing: AddressFiling, position: number): void {
    this.isEmpty = false;
    for (const key of filing.exact) {
      push(this.exact, key, position);
      if (key.startsWith('*@')) this.looksAtDomains = true;
    }
    for (const literal of filing.literals) push(this.literals, literal, position);
    if (filing.takesNull) this.ofNull.push(position);
    if (filing.whole !== undefined) push(this.wholes, filing.whole, position);
  }

  /** To be called once all rules are filed. */
  finish(): void {
    this.finder = new LiteralFinder([...this.literals.keys()]);
    this.atLiteral = [...this.literals.values()];
  }

  /** @param address folded; the empty string is the null sender */
  collect(address: string, into: Set<number>): void {
    if (this.isEmpty) return;
    if (address === '') append(into, this.ofNull);
    else {
      if (this.looksAtDomains)
        masksOver(address, (mask) => {
          append(into, this.exact.get(mask));
          return false;
        });
      else append(into, this.exact.get(address));
      if (this.atLiteral.length > 0) this.finder.find(address, (index) => append(into, this.atLiteral[index]));
    }
    for (const [set, positions] of this.wholes) if (set.has(address)) append(into, positions);
  }
}

/** What a scope's clients are filed under. */
export interface ClientFiling {
  readonly networks: readonly Network[];
  readonly whole?: ClientSet;
}

export function fileClients(set: ClientSet | undefined): ClientFiling | undefined {
  if (set === undefined) return undefined;
  return set.networks === undefined || set.networks.length > MAX_SPREAD
    ? { networks: [], whole: set }
    : { networks: set.networks };
}

/** Key of a network among those with a prefix of the same length. */
export function networkKey({ words, bits }: Network): string {
  return `${bits}/${prefixOf(words, bits).join('.')}`;
}

/** Positions of rules by the networks of their scope. */
export class ClientKeys {
  isEmpty = true;
  private readonly networks: Filed = new Map<string, number[]>();
  private readonly wholes = new Map<ClientSet, number[]>();
  /** Lengths of prefixes that there are, by the number of words of an address. */
  private readonly lengths = new Map<number, Set<number>>();

  add(filing: ClientFiling, position: number): void {
    this.isEmpty = false;
    for (const network of filing.networks) {
      push(this.networks, networkKey(network), position);
      const lengths = this.lengths.get(network.words.length) ?? new Set<number>();
      this.lengths.set(network.words.length, lengths.add(network.bits));
    }
    if (filing.whole !== undefined) push(this.wholes, filing.whole, position);
  }

  collect(words: Words | undefined, into: Set<number>): void {
    if (words === undefined) return;
    for (const bits of this.lengths.get(words.length) ?? []) append(into, this.networks.get(networkKey({ words, bits })));
    for (const [set, positions] of this.wholes) if (set.has(words)) append(into, positions);
  }
}

function push<K>(map: Map<K, number[]>, key: K, position: number): void {
  const positions = map.get(key);
  if (positions === undefined) map.set(key, [position]);
  else positions.push(position);
}

function append(into: Set<number>, positions: readonly number[] | undefined): void {
  if (positions !== undefined) for (const position of positions) into.add(position);
}
