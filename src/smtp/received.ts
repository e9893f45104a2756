import { isIPv6 } from 'node:net';
import { isAscii, withAsciiDomain } from '../message/ascii.js';
import { isAddressLiteral } from './address.js';

export interface Hop {
  readonly helo: string;
  readonly client: string;
  readonly hostname: string;
  /** EHLO and not HELO. */
  readonly extended: boolean;
  readonly tls: boolean;
  readonly authenticated: boolean;
  readonly smtpUtf8: boolean;
  readonly id: string;
  readonly recipients: readonly string[];
  /** ms since the epoch. */
  readonly time: number;
}

/** The Received field of this hop (RFC 5321 4.4), folded, with its final CRLF: printable ASCII, whatever was said. */
export function receivedField(hop: Hop): string {
  return (
    `Received: from ${heloName(hop.helo)} (${addressLiteral(hop.client)})\r\n` +
    `\tby ${hop.hostname} with ${protocol(hop)}\r\n` +
    `\tid ${hop.id}${recipientClause(hop.recipients)};\r\n\t${mailDate(hop.time)}\r\n`
  );
}

/**
 * Only where there is one recipient, so that none learns of another; and where it can be written in ASCII: mail that
 * needs no SMTPUTF8 is not to need it for the sake of this field (RFC 6531 3.7.3 allows, and does not ask for, UTF-8).
 */
function recipientClause([only, another]: readonly string[]): string {
  if (only === undefined || another !== undefined) return '';
  const address = withAsciiDomain(only);
  return isAscii(address) ? `\r\n\tfor <${address}>` : '';
}

/** The `with` types of RFC 3848 and RFC 6531 4.3. */
export function protocol(hop: Pick<Hop, 'extended' | 'tls' | 'authenticated' | 'smtpUtf8'>): string {
  if (!hop.extended) return 'SMTP';
  return `${hop.smtpUtf8 ? 'UTF8SMTP' : 'ESMTP'}${hop.tls ? 'S' : ''}${hop.authenticated ? 'A' : ''}`;
}

function addressLiteral(address: string): string {
  return isIPv6(address) ? `[IPv6:${address}]` : `[${address}]`;
}

/** A client may call itself anything: what is no name or literal loses the characters that mean something in a field. */
function heloName(helo: string): string {
  if (isAddressLiteral(helo)) return helo;
  return helo.replace(/[^A-Za-z0-9._:-]/g, '?').slice(0, 255) || 'unknown';
}

let lastSecond = -1;
let lastDate = '';

/** RFC 5322 3.3, in UTC. */
export function mailDate(time: number): string {
  const second = Math.floor(time / 1000);
  if (second !== lastSecond) {
    lastSecond = second;
    lastDate = new Date(second * 1000).toUTCString().replace('GMT', '+0000');
  }
  return lastDate;
}
