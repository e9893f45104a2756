import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { DnsFailure, type Dns } from '../dns.js';
import { dottedAddress, expandDomain } from './macro.js';
import { isSpfRecord, parseSpfRecord } from './record.js';
import {
  SpfSyntaxError,
  type DualCidr,
  type MacroString,
  type Mechanism,
  type Qualifier,
  type SpfQuestion,
  type SpfRecord,
  type SpfResult,
} from './types.js';

/** Terms that ask the DNS (RFC 7208 4.6.4). */
const MAX_TERMS = 10;
/** Look-ups without an answer (RFC 7208 4.6.4). */
const MAX_VOID = 2;
/** Hosts of one MX, and names of one PTR, that are looked up (RFC 7208 4.6.4). */
const MAX_NAMES = 10;

const RESULTS: Readonly<Record<Qualifier, SpfResult>> = { '+': 'pass', '-': 'fail', '~': 'softfail', '?': 'neutral' };

export interface SpfOutcome {
  readonly result: SpfResult;
  /** Why, for people: the mechanism that matched, or what was wrong. */
  readonly reason: string;
}

/**
 * check_host() of RFC 7208 4: may this client send for the domain? Explanations are not fetched: nobody is shown text
 * that the sender's domain chose. Never throws.
 */
export async function checkHost(domain: string, question: SpfQuestion, dns: Dns): Promise<SpfOutcome> {
  return await new Check(question, dns).run(domain);
}

/** One evaluation with its counters. */
class Check {
  readonly #question: SpfQuestion;
  readonly #dns: Dns;
  readonly #family: 4 | 6;
  #terms = 0;
  #voids = 0;
  #validated: Promise<readonly string[]> | undefined;

  constructor(question: SpfQuestion, dns: Dns) {
    this.#question = question;
    this.#dns = dns;
    this.#family = isIP(question.ip) === 6 ? 6 : 4;
  }

  async run(domain: string): Promise<SpfOutcome> {
    if (isIP(this.#question.ip) === 0 || !isDomainName(domain))
      return { result: 'none', reason: 'the domain is no name that could have a record' };
    try {
      return await this.#check(domain);
    } catch (error) {
      if (error instanceof SpfSyntaxError) return { result: 'permerror', reason: error.message };
      if (error instanceof DnsFailure) return { result: 'temperror', reason: error.message };
      throw error;
    }
  }

  /** Depth is bounded by the number of terms. */
  async #check(domain: string): Promise<SpfOutcome> {
    const record = await this.#record(domain);
    if (record === undefined) return { result: 'none', reason: 'the domain has no record' };
    for (const mechanism of record.mechanisms) {
      if (await this.#matches(mechanism, domain))
        return { result: RESULTS[mechanism.qualifier], reason: `matched ${mechanism.qualifier}${mechanism.type}` };
    }
    if (record.redirect === undefined || record.mechanisms.some(({ type }) => type === 'all'))
      return { result: 'neutral', reason: 'no mechanism matched' };
    this.#count();
    const target = await this.#expand(record.redirect, domain);
    const outcome = isDomainName(target) ? await this.#check(target) : undefined;
    if (outcome === undefined || outcome.result === 'none')
      throw new SpfSyntaxError('a redirect to a domain without a record');
    return outcome;
  }

  async #record(domain: string): Promise<SpfRecord | undefined> {
    const found = (await this.#dns.txt(domain)).filter(isSpfRecord);
    const [text] = found;
    if (text === undefined) return undefined;
    if (found.length > 1) throw new SpfSyntaxError('several records');
    return parseSpfRecord(text);
  }

  async #matches(mechanism: Mechanism, domain: string): Promise<boolean> {
    switch (mechanism.type) {
      case 'all':
        return true;
      case 'ip4':
      case 'ip6':
        return this.#isIn(mechanism.address, mechanism.prefix);
      case 'include':
        this.#count();
        return await this.#includes(await this.#expand(mechanism.domain, domain));
      case 'a':
        this.#count();
        return await this.#isHost(await this.#target(mechanism.domain, domain), mechanism.cidr);
      case 'mx':
        this.#count();
        return await this.#isExchange(await this.#target(mechanism.domain, domain), mechanism.cidr);
      case 'exists': {
        this.#count();
        const name = await this.#expand(mechanism.domain, domain);
        // Always A, for IPv6 clients too (RFC 7208 5.7).
        return this.#answered(isAskable(name) ? await this.#dns.addresses(name, 4) : []).length > 0;
      }
      case 'ptr': {
        this.#count();
        const target = (await this.#target(mechanism.domain, domain)).toLowerCase();
        return (await this.#validatedNames()).some((name) => name === target || name.endsWith(`.${target}`));
      }
    }
  }

  /** RFC 7208 5.2: the table of what the included result means. */
  async #includes(domain: string): Promise<boolean> {
    const { result } = isDomainName(domain) ? await this.#check(domain) : { result: 'none' };
    if (result === 'none') throw new SpfSyntaxError('an include of a domain without a record');
    return result === 'pass';
  }

  async #isHost(name: string, cidr: DualCidr): Promise<boolean> {
    if (!isAskable(name)) return this.#answered([]).length > 0;
    const addresses = await this.#dns.addresses(name, this.#family);
    // A host that is reachable by the other protocol alone is no void look-up: its domain did nothing wrong.
    if (addresses.length === 0) this.#answered(await this.#dns.addresses(name, this.#family === 4 ? 6 : 4));
    return addresses.some((address) => this.#isIn(address, this.#family === 4 ? cidr.v4 : cidr.v6));
  }

  async #isExchange(name: string, cidr: DualCidr): Promise<boolean> {
    const exchanges = this.#answered(isAskable(name) ? await this.#dns.mx(name) : []);
    if (exchanges.length > MAX_NAMES) throw new SpfSyntaxError('more than ten MX hosts');
    for (const { exchange } of exchanges.toSorted((a, b) => a.priority - b.priority)) {
      if (!isAskable(exchange)) continue;
      const addresses = await this.#dns.addresses(exchange, this.#family);
      if (addresses.some((address) => this.#isIn(address, this.#family === 4 ? cidr.v4 : cidr.v6))) return true;
    }
    return false;
  }

  /** Names of the client that lead back to it (RFC 7208 5.5), looked up once: they are the same for all terms. */
  async #validatedNames(): Promise<readonly string[]> {
    this.#validated ??= this.#validateNames();
    return await this.#validated;
  }

  /** Failures are no names. */
  async #validateNames(): Promise<readonly string[]> {
    const { ip } = this.#question;
    const reverse = dottedAddress(ip).split('.').reverse().join('.');
    let names: readonly string[];
    try {
      names = await this.#dns.ptr(`${reverse}.${this.#family === 4 ? 'in-addr' : 'ip6'}.arpa`);
    } catch (error) {
      if (error instanceof DnsFailure) return [];
      throw error;
    }
    this.#answered(names);
    const validated: string[] = [];
    for (const name of names.slice(0, MAX_NAMES)) {
      if (!isAskable(name)) continue;
      try {
        const addresses = await this.#dns.addresses(name, this.#family);
        if (addresses.some((address) => this.#isIn(address, this.#family === 4 ? 32 : 128)))
          validated.push(name.toLowerCase().replace(/\.$/, ''));
      } catch (error) {
        if (!(error instanceof DnsFailure)) throw error;
      }
    }
    return validated;
  }

  /**
   * `%{p}` (RFC 7208 7.3): the domain itself if it is among the names, else one below it, else any. Of the limits of
   * 4.6.4, that of the names alone holds for it: it is no term.
   */
  async #validatedName(domain: string): Promise<string> {
    const names = await this.#validatedNames();
    const wanted = domain.toLowerCase();
    return (
      names.find((name) => name === wanted) ??
      names.find((name) => name.endsWith(`.${wanted}`)) ??
      names[0] ??
      'unknown'
    );
  }

  async #target(spec: MacroString | undefined, domain: string): Promise<string> {
    return spec === undefined ? domain : await this.#expand(spec, domain);
  }

  async #expand(spec: MacroString, domain: string): Promise<string> {
    return await expandDomain(spec, domain, this.#question, async () => await this.#validatedName(domain));
  }

  #isIn(address: string, prefix: number): boolean {
    const network = ipaddr.parse(address);
    const client = ipaddr.parse(this.#question.ip);
    return network.kind() === client.kind() && client.match(network, prefix);
  }

  #count(): void {
    this.#terms += 1;
    if (this.#terms > MAX_TERMS) throw new SpfSyntaxError('more than ten terms that need the DNS');
  }

  /** Counts an answer that is empty. */
  #answered<T>(values: readonly T[]): readonly T[] {
    if (values.length === 0) this.#voids += 1;
    if (this.#voids > MAX_VOID) throw new SpfSyntaxError('more than two look-ups without an answer');
    return values;
  }
}

/** A name of several labels, each 1 to 63 letters, digits, dashes or underscores, 253 in all (RFC 7208 4.3). */
export function isDomainName(name: string): boolean {
  return isAskable(name) && /^[a-z0-9._-]+$/i.test(name) && name.replace(/\.$/, '').includes('.') && isIP(name) === 0;
}

/**
 * Whether a name could be there at all. One that the resolver refuses to ask for, such as one with a space, is its
 * business: it fails. Characters outside ASCII match nothing (RFC 8616 4).
 */
function isAskable(name: string): boolean {
  const labels = name.replace(/\.$/, '').split('.');
  return (
    name.length <= 254 && labels.every((label) => label.length >= 1 && label.length <= 63) && !/[^\x20-\x7e]/.test(name)
  );
}
