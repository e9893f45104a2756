import { networkSet, type NetworkSet } from '../config/networks.js';
import { canonicalDomain } from '../message/ascii.js';
import type { SmtpReply } from '../rules/types.js';

/**
 * What servers read as a route to another domain once they have taken their own off: `user%victim.example` (RFC 1123
 * 5.2.16), `victim.example!user` (RFC 976) and, in quotes, `user@victim.example`. A server that relays for us would send
 * it on. Neither `/`, which addresses of X.400 gateways have (RFC 2156), nor `|` is such a route.
 */
const ROUTE = /[@%!]/;

/** For whom we take mail: our own domains from everybody, all others from clients that may relay. */
export class RelayPolicy {
  #domains: ReadonlySet<string> = new Set();
  #trusted = networkSet([]);
  /** Where mail to `postmaster` without a domain goes (RFC 5321 4.1.1.3). */
  #home = 'localhost';

  /** @param trusted addresses and networks; see parseNetwork */
  constructor(domains: readonly string[], trusted: readonly string[]) {
    this.change(domains, trusted);
  }

  /** Goes over to other domains and clients: for sessions that come, and for the next command of those that are open. */
  change(domains: readonly string[], trusted: readonly string[]): void {
    this.#domains = new Set(domains.map(canonicalDomain).filter((domain) => domain !== ''));
    this.#trusted = networkSet(trusted);
    this.#home = domains[0] ?? 'localhost';
  }

  /** The clients that are named under `trusted`: another set after each change. */
  get trusted(): NetworkSet {
    return this.#trusted;
  }

  /** Whether a client is named under `trusted`. */
  trusts(address: string): boolean {
    return this.#trusted.has(address);
  }

  /** The recipient's full address: `postmaster` alone gets the first of our domains. */
  complete(address: string): string {
    return address.includes('@') ? address : `${address}@${this.#home}`;
  }

  /** @param address with a domain @returns the refusal, or undefined when the recipient is taken */
  check(address: string, mayRelay: boolean): SmtpReply | undefined {
    if (mayRelay) return undefined;
    const at = address.lastIndexOf('@');
    const domain = canonicalDomain(address.slice(at + 1));
    if (!this.#domains.has(domain)) return denied(`${domain} is not among the domains of this gateway`);
    return ROUTE.test(address.slice(0, at)) ? denied('no @, % or ! may stand before the domain') : undefined;
  }
}

function denied(why: string): SmtpReply {
  return { code: 550, enhanced: '5.7.1', text: `Relaying denied: ${why}` };
}
