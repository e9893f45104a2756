import { canonicalAddress, type NetworkSet } from '../config/networks.js';
import { rateKey } from './client-rate.js';
import type { RelayPolicy } from './relay.js';

/** What is known of the client at an address. */
export interface KnownClient {
  /** In canonical form. */
  readonly address: string;
  /** What it shares with those that are one client with it (see `rateKey`). */
  readonly key: string;
  /** It is named under `trusted`. */
  readonly trusted: boolean;
}

/** Who the client of one session is. Asked for each command, and worked out only when something has changed. */
export class ClientLookup {
  readonly #relay: Pick<RelayPolicy, 'trusted'>;
  #remote: string | undefined;
  #named: NetworkSet | undefined;
  #known: KnownClient = { address: '', key: '', trusted: false };

  constructor(relay: Pick<RelayPolicy, 'trusted'>) {
    this.#relay = relay;
  }

  /** @param remote the address as it is given by the socket, a proxy, or XCLIENT */
  at(remote: string): KnownClient {
    const named = this.#relay.trusted;
    if (remote !== this.#remote || named !== this.#named) {
      const address = canonicalAddress(remote) ?? remote;
      this.#remote = remote;
      this.#named = named;
      this.#known = { address, key: rateKey(address), trusted: named.has(address) };
    }
    return this.#known;
  }
}
