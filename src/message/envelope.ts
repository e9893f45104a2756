/** DSN conditions of RFC 3461 4.1. */
export type NotifyCondition = 'never' | 'success' | 'failure' | 'delay';

/** What is told of a recipient without NOTIFY (RFC 3461 4.1 leaves it to us whether of a delay). */
export const DEFAULT_NOTIFY: readonly NotifyCondition[] = ['failure', 'delay'];

export interface EnvelopeRecipient {
  /** The address of RCPT TO: the local part with the least quoting (see leastQuoted), the domain in the form that came in. */
  readonly address: string;
  /** NOTIFY of RFC 3461 4.1; absent when the client gave none. */
  readonly notify?: readonly NotifyCondition[];
  /** ORCPT of RFC 3461 4.2, still in xtext. */
  readonly orcpt?: string;
}

/** What the SMTP session says about a message. Plain data: it is passed to threads and written to the spool. */
export interface Envelope {
  /** The address of MAIL FROM, in the same form; the empty string is the null sender. */
  readonly sender: string;
  readonly recipients: readonly EnvelopeRecipient[];
  /** IP address of the client; an IPv4-mapped one is written as IPv4. */
  readonly client: string;
  readonly helo: string;
  readonly tls: boolean;
  /** Login name, when the session authenticated. */
  readonly user?: string;
  /** The client is named under `trusted` or has authenticated: it may relay. */
  readonly trusted: boolean;
  /** SMTPUTF8 was given (RFC 6531). */
  readonly smtpUtf8: boolean;
  /** BODY=8BITMIME was given (RFC 6152). */
  readonly eightBit: boolean;
  /** RET of RFC 3461 4.3. */
  readonly ret?: 'full' | 'headers';
  /** ENVID of RFC 3461 4.4, still in xtext. */
  readonly envid?: string;
}

/** What intake settled or saw before anything was parsed. Plain data. */
export interface IntakeReport {
  /** Names of anomalies that normalizing removed: `bare-cr`, `bare-lf`, `nul`. */
  readonly anomalies: readonly string[];
  /** Value of an X-Gatepost-Notification field that the message bore: it is one of our own notifications. */
  readonly ownMark?: string;
  /** Number of Received fields. */
  readonly received: number;
  /** How often it went through a gateway of ours already, by our own marks; absent for never. */
  readonly passes?: number;
}

/** The part of an address behind the last `@`, in lower case; empty for the null sender. */
export function domainOf(address: string): string {
  const at = address.lastIndexOf('@');
  return at < 0 ? '' : address.slice(at + 1).toLowerCase();
}
