import type { Config } from '../../config/load.js';
import { canonicalAddress, networkSet } from '../../config/networks.js';
import type { Envelope } from '../../message/envelope.js';
import { leastQuoted } from '../../message/local-part.js';
import { parsePath } from '../../smtp/address.js';

/** What is known of a session that there never was. */
export interface TrialSession {
  /** With or without angle brackets; empty for the null sender. */
  readonly sender: string;
  readonly recipients: readonly string[];
  readonly client?: string | undefined;
  readonly helo?: string | undefined;
  readonly tls?: boolean | undefined;
  /** A login name, or `true` for any. */
  readonly authenticated?: boolean | string | undefined;
}

/** Client of a trial where none is named: an address for documentation (RFC 5737). */
export const TRIAL_CLIENT = '192.0.2.1';
export const TRIAL_HELO = 'client.example';

/** Whether it is one address, as far as its form goes: stored mail has names of hosts that no session takes. */
export function isAddress(text: string): boolean {
  if (text.startsWith('"')) return parsePath(`<${text}>`, 0)?.end === text.length + 2;
  return /^[^\s@<>,;]{1,251}@[^\s@<>,;]{1,255}$/.test(text);
}

/** The envelope that the session of a running gateway would have made of it. The client is a checked IP address. */
export function trialEnvelope(session: TrialSession, config: Pick<Config, 'trusted'>): Envelope {
  const client = canonicalAddress(session.client ?? TRIAL_CLIENT) ?? TRIAL_CLIENT;
  const { authenticated = false } = session;
  const user = typeof authenticated === 'string' ? authenticated : authenticated ? 'user' : undefined;
  return {
    sender: leastQuoted(withoutBrackets(session.sender)),
    recipients: [...new Set(session.recipients.map(withoutBrackets).map(leastQuoted))].map((address) => ({ address })),
    client,
    helo: session.helo ?? TRIAL_HELO,
    tls: session.tls === true,
    ...(user === undefined ? {} : { user }),
    trusted: user !== undefined || networkSet(config.trusted).has(client),
    smtpUtf8: false,
    eightBit: true,
  };
}

export function withoutBrackets(address: string): string {
  return address.trim().replace(/^<(.*)>$/, '$1');
}
