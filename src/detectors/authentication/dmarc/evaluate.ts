import { DnsFailure, type Dns } from '../dns.js';
import { asciiDomain, organizationalDomain } from '../names.js';
import { isDomainName } from '../spf/check-host.js';
import type { AuthResult, DmarcOutcome, DmarcPolicy, SignatureOutcome } from '../types.js';
import { findDmarcRecord, type DmarcRecord } from './record.js';

/** Domains of From that are looked up; a message with more is no honest one. */
const MAX_DOMAINS = 5;

/** What DMARC builds on. */
export interface Authenticated {
  readonly spf: { readonly result: AuthResult; readonly domain: string };
  readonly signatures: readonly SignatureOutcome[];
  /** The client may relay: SPF was not asked, so that a missing pass means nothing. */
  readonly trusted: boolean;
  /** 0 to 99, the same for the same message: which share of `pct` it belongs to. */
  readonly sample: number;
}

/**
 * DMARC (RFC 7489) for a message whose From bears these domains. With several, each is evaluated and the worst result
 * is the message's (6.6.1): one author's domain does not vouch for another's. For a client that may relay, all but a
 * pass is `none`. Never throws.
 */
export async function evaluateDmarc(domains: readonly string[], given: Authenticated, dns: Dns): Promise<DmarcOutcome> {
  const outcome = await evaluateAll(domains, given, dns);
  if (!given.trusted || outcome.result === 'pass' || outcome.result === 'none') return outcome;
  return { ...outcome, result: 'none', reason: `the client may relay; ${outcome.reason}` };
}

async function evaluateAll(domains: readonly string[], given: Authenticated, dns: Dns): Promise<DmarcOutcome> {
  const names = [...new Set(domains.map(asciiDomain))];
  const [first = ''] = names;
  if (names.length === 0 || names.some((name) => !isDomainName(name)))
    return { result: 'permerror', domain: '', reason: 'From names no domain' };
  if (names.length > MAX_DOMAINS) return { result: 'permerror', domain: first, reason: 'From names too many domains' };
  const outcomes = await Promise.all(names.map(async (name) => await evaluateOne(name, given, dns)));
  return worst(outcomes);
}

async function evaluateOne(domain: string, given: Authenticated, dns: Dns): Promise<DmarcOutcome> {
  let record: DmarcRecord | undefined;
  try {
    record = await findDmarcRecord(domain, dns);
  } catch (error) {
    if (!(error instanceof DnsFailure)) throw error;
    return { result: 'temperror', domain, reason: 'the look-up of the policy failed' };
  }
  if (record === undefined) return { result: 'none', domain, reason: 'the domain has no policy' };
  const { strictDkim, strictSpf } = record;
  const signed = given.signatures.filter((one) => isAligned(one.domain, domain, strictDkim));
  const policy = sampled(record, given.sample);
  const spfAligned = isAligned(given.spf.domain, domain, strictSpf);
  if (signed.some((one) => one.result === 'pass')) return { result: 'pass', domain, policy, reason: 'by DKIM' };
  if (spfAligned && given.spf.result === 'pass') return { result: 'pass', domain, policy, reason: 'by SPF' };
  if (given.trusted) return { result: 'none', domain, policy, reason: 'the client may relay' };
  if (signed.some((one) => one.result === 'temperror') || (spfAligned && given.spf.result === 'temperror'))
    return { result: 'temperror', domain, policy, reason: 'a look-up failed' };
  return { result: 'fail', domain, policy, reason: 'neither SPF nor DKIM passed for the domain' };
}

/** Identifier alignment (RFC 7489 3.1): the same domain, or in relaxed mode the same organizational domain. */
export function isAligned(authenticated: string, from: string, strict: boolean): boolean {
  if (authenticated === '') return false;
  if (authenticated === from) return true;
  return !strict && organizationalDomain(authenticated) === organizationalDomain(from);
}

/** Outside of the share that `pct` names, the next milder policy holds (RFC 7489 6.6.4). */
function sampled({ policy, percent }: DmarcRecord, sample: number): DmarcPolicy {
  if (sample < percent) return policy;
  return policy === 'reject' ? 'quarantine' : 'none';
}

const ORDER: readonly AuthResult[] = ['fail', 'permerror', 'temperror', 'none', 'pass'];
const STRICTNESS: readonly (DmarcPolicy | undefined)[] = ['reject', 'quarantine', 'none', undefined];

function worst(outcomes: readonly DmarcOutcome[]): DmarcOutcome {
  const [first, ...others] = outcomes.toSorted(
    (a, b) =>
      ORDER.indexOf(a.result) - ORDER.indexOf(b.result) || STRICTNESS.indexOf(a.policy) - STRICTNESS.indexOf(b.policy),
  );
  if (first === undefined) return { result: 'permerror', domain: '', reason: 'From names no domain' };
  return others.length === 0 ? first : { ...first, reason: `${first.reason}; From names several domains` };
}
