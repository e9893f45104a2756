import { randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import { boundedDns, DnsFailure, type CachingDns, type Dns } from '../authentication/dns.js';
import { DetectorError } from '../failure.js';
import { organization } from './names.js';

/** A list that is asked by DNS: `NAME.ZONE` has an address in 127.0.0.0/8 when the name is on it. */
export interface DnsList {
  readonly zone: string;
  /** Bits of the last octet that count; absent: any. */
  readonly mask?: number | undefined;
}

export interface DnsListSettings {
  readonly lists: readonly DnsList[];
  /** ms for all look-ups of one message. */
  readonly timeout: number;
  /** Look-ups of one message. */
  readonly maxLookups: number;
}

export interface DnsVerdicts {
  /** By host, the zone that names it. */
  readonly listed: ReadonlyMap<string, string>;
  /** A list gave no answer. */
  readonly failed: boolean;
  /** There were more hosts than may be looked up. */
  readonly cut: boolean;
}

/** ms for which a list that failed is not asked again: each message would wait for it. */
const PAUSE = 30_000;
const AT_ONCE = 8;

/** Asks the lists about hosts: each registrable domain once, within the bounds of one message. */
export class DnsLists {
  readonly #settings: DnsListSettings;
  readonly #dns: CachingDns;
  readonly #now: () => number;
  readonly #paused = new Map<string, number>();

  constructor(settings: DnsListSettings, dns: CachingDns, now: () => number = Date.now) {
    this.#settings = settings;
    this.#dns = dns;
    this.#now = now;
  }

  async ask(hosts: readonly string[], signal: AbortSignal): Promise<DnsVerdicts> {
    const { lists, timeout, maxLookups } = this.#settings;
    const names = [...new Set(hosts.map(queryName))];
    const questions = names.flatMap((name) => lists.map((list) => ({ name, list })));
    const dns = boundedDns(this.#dns, { milliseconds: timeout, lookups: maxLookups, signal });
    const listed = new Map<string, string>();
    let failed = false;
    let next = 0;
    const ask = async (): Promise<void> => {
      for (;;) {
        const question = next < maxLookups ? questions[next] : undefined;
        next += 1;
        if (question === undefined) return;
        const answer = await this.#askOne(question.name, question.list, dns);
        if (answer === undefined) failed = true;
        else if (answer) listed.set(question.name, question.list.zone);
      }
    };
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, questions.length) }, ask));
    const byHost = new Map<string, string>();
    for (const host of hosts) {
      const zone = listed.get(queryName(host));
      if (zone !== undefined) byHost.set(host, zone);
    }
    return { listed: byHost, failed, cut: questions.length > maxLookups };
  }

  /** Asks each list about a name that none has. @throws DetectorError that names the lists without an answer */
  async probe(signal: AbortSignal): Promise<void> {
    const { lists, timeout } = this.#settings;
    const dns = boundedDns(this.#dns, { milliseconds: timeout, lookups: lists.length, signal });
    const silent: string[] = [];
    await Promise.all(
      lists.map(async ({ zone }) => {
        try {
          // Another name each time: the answer is not to come from a cache.
          await dns.addresses(`${randomBytes(6).toString('hex')}.gatepost-probe.invalid.${zone}`, 4);
        } catch (error) {
          if (!(error instanceof DnsFailure)) throw error;
          silent.push(zone);
        }
      }),
    );
    if (silent.length > 0) throw new DetectorError(`no answer from ${silent.join(', ')}`);
  }

  /** Undefined when there is no answer. */
  async #askOne(name: string, list: DnsList, dns: Dns): Promise<boolean | undefined> {
    const until = this.#paused.get(list.zone) ?? 0;
    if (until > this.#now()) return undefined;
    try {
      const addresses = await dns.addresses(`${name}.${list.zone}`, 4);
      return addresses.some((address) => counts(address, list.mask));
    } catch (error) {
      if (!(error instanceof DnsFailure)) throw error;
      this.#paused.set(list.zone, this.#now() + PAUSE);
      return undefined;
    }
  }
}

/** 127.0.0.1 and 127.255.255.x say that the list refuses to answer, and addresses elsewhere come from liars. */
function counts(address: string, mask: number | undefined): boolean {
  const octets = address.split('.').map(Number);
  const [first = 0, second = 0, third = 0, fourth = 0] = octets;
  if (first !== 127 || second === 255 || (second === 0 && third === 0 && fourth === 1)) return false;
  return mask === undefined || (fourth & mask) !== 0;
}

/** The registrable domain; of an IP address its octets the other way round. */
function queryName(host: string): string {
  return isIP(host) === 4 ? host.split('.').reverse().join('.') : organization(host);
}

/** Hosts that lists can know. */
export function canBeAsked(host: string): boolean {
  return isIP(host) === 4 || (isIP(host) === 0 && host.includes('.') && host.length <= 200);
}
