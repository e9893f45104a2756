import type { Words } from '../config/network-ranges.js';
import type { AddressSet } from './addresses.js';
import type { ClientSet } from './clients.js';
import {
  AddressKeys,
  ClientKeys,
  fileAddresses,
  fileClients,
  networkKey,
  rarestLiterals,
  type AddressFiling,
  type ClientFiling,
} from './scope-keys.js';

/** The parts of a scope by which it can be found. */
export interface IndexedScope {
  readonly recipient?: AddressSet;
  readonly sender?: AddressSet;
  readonly client?: ClientSet;
  readonly looksAtFrom: boolean;
}

/** The addresses of one message. Folded; the empty string is the null sender. */
export interface Parties {
  readonly sender: string;
  readonly from: readonly string[];
  readonly clientWords: Words | undefined;
  /** What sender and client leave possible in each index: the same for all recipients. An index holds no message itself. */
  readonly filed?: Map<ScopeIndex, readonly number[]>;
}

/**
 * Scopes in order, of which only those are given that the addresses leave possible. Each is filed under one of its keys
 * (recipients, senders or clients): the one whose addresses, domains or masks the fewest other scopes share.
 */
export class ScopeIndex {
  /** Positions of scopes that no address rules out, in order. */
  readonly always: readonly number[];
  private readonly byRecipient = new AddressKeys();
  private readonly bySender = new AddressKeys();
  private readonly byFrom = new AddressKeys();
  private readonly byClient = new ClientKeys();

  constructor(scopes: readonly IndexedScope[]) {
    const recipients = filings(scopes.map(({ recipient }) => recipient));
    const senders = filings(scopes.map(({ sender }) => sender));
    const clients = scopes.map(({ client }) => fileClients(client));
    const crowdOfRecipient = crowds(recipients.map(keysOfAddresses));
    const crowdOfSender = crowds(senders.map(keysOfAddresses));
    const crowdOfClient = crowds(clients.map(keysOfClients));
    const always: number[] = [];
    for (const [position, scope] of scopes.entries()) {
      const [recipient, sender, client] = [recipients[position], senders[position], clients[position]];
      const ofRecipient = crowdOfRecipient[position] ?? Infinity;
      const ofSender = crowdOfSender[position] ?? Infinity;
      const ofClient = crowdOfClient[position] ?? Infinity;
      const least = Math.min(ofRecipient, ofSender, ofClient);
      if (recipient !== undefined && ofRecipient === least) this.byRecipient.add(recipient, position);
      else if (sender !== undefined && ofSender === least) {
        this.bySender.add(sender, position);
        if (scope.looksAtFrom) this.byFrom.add(sender, position);
      } else if (client !== undefined && ofClient === least) this.byClient.add(client, position);
      else always.push(position);
    }
    this.always = always;
    for (const keys of [this.byRecipient, this.bySender, this.byFrom]) keys.finish();
  }

  /** Positions of the other scopes that are possible, in order. */
  filed(parties: Parties, recipient: string): readonly number[] {
    let positions = parties.filed?.get(this);
    if (positions === undefined) {
      positions = this.filedByParties(parties);
      parties.filed?.set(this, positions);
    }
    const found = new Set(positions);
    this.byRecipient.collect(recipient, found);
    return found.size < 2 ? [...found] : [...found].sort((a, b) => a - b);
  }

  /** All positions that are possible, in order. */
  possible(parties: Parties, recipient: string): readonly number[] {
    const filed = this.filed(parties, recipient);
    return filed.length === 0 ? this.always : [...filed, ...this.always].sort((a, b) => a - b);
  }

  private filedByParties(parties: Parties): readonly number[] {
    const found = new Set<number>();
    this.bySender.collect(parties.sender, found);
    // Read only where a rule asks for them.
    if (!this.byFrom.isEmpty) for (const address of parties.from) this.byFrom.collect(address, found);
    if (!this.byClient.isEmpty) this.byClient.collect(parties.clientWords, found);
    return [...found];
  }
}

function filings(sets: readonly (AddressSet | undefined)[]): (AddressFiling | undefined)[] {
  const choose = rarestLiterals(sets);
  return sets.map((set) => fileAddresses(set, choose));
}

function keysOfAddresses(filing: AddressFiling | undefined): unknown[] | undefined {
  if (filing === undefined) return undefined;
  const { exact, literals, takesNull, whole } = filing;
  return [
    ...exact,
    ...literals.map((literal) => `literal ${literal}`),
    ...(takesNull ? ['<>'] : []),
    ...(whole === undefined ? [] : [whole]),
  ];
}

function keysOfClients(filing: ClientFiling | undefined): unknown[] | undefined {
  if (filing === undefined) return undefined;
  return filing.whole === undefined ? filing.networks.map(networkKey) : [filing.whole];
}

/** How many scopes at most are possible together when each is filed under its keys; infinite for those without. */
function crowds(all: readonly (readonly unknown[] | undefined)[]): number[] {
  const counts = new Map<unknown, number>();
  for (const keys of all) for (const key of keys ?? []) counts.set(key, (counts.get(key) ?? 0) + 1);
  return all.map((keys) =>
    keys === undefined ? Infinity : keys.reduce<number>((most, key) => Math.max(most, counts.get(key) ?? 0), 0),
  );
}
