import { domainOf, type Envelope } from '../../../message/envelope.js';
import type { Dns } from '../dns.js';
import { asciiDomain } from '../names.js';
import { checkHost, isDomainName } from './check-host.js';
import type { SpfResult } from './types.js';

export interface SenderOutcome {
  readonly result: SpfResult;
  /** The identity that was checked; the null sender is checked by its HELO name (RFC 7208 2.4). */
  readonly identity: 'mailfrom' | 'helo';
  /** As an A-label; empty where it is no domain. */
  readonly domain: string;
  readonly reason: string;
}

/**
 * SPF for the sender of an envelope. A client that may relay is not asked about: it hands in our own people's mail,
 * from addresses that no record names.
 */
export async function checkSender(envelope: Envelope, dns: Dns): Promise<SenderOutcome> {
  const identity = envelope.sender === '' ? 'helo' : 'mailfrom';
  const named = asciiDomain(identity === 'helo' ? envelope.helo : domainOf(envelope.sender));
  const domain = isDomainName(named) ? named : '';
  if (envelope.trusted) return { result: 'none', identity, domain, reason: 'the client may relay' };
  const at = envelope.sender.lastIndexOf('@');
  const local = at > 0 ? envelope.sender.slice(0, at) : 'postmaster';
  const question = { ip: envelope.client, sender: { local, domain: named }, helo: envelope.helo };
  return { identity, domain, ...(await checkHost(named, question, dns)) };
}
