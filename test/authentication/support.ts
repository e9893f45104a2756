import type { Envelope } from '../../src/message/envelope.js';
import type { NameData, Zone } from '../support/fake-dns.js';
import type { SpfCase } from './spf-cases.js';

/** A message from a stranger. */
export function envelopeOf(given: Partial<Envelope> = {}): Envelope {
  return {
    sender: 'user@example.com',
    recipients: [{ address: 'b@example.org' }],
    client: '192.0.2.10',
    helo: 'mail.example.com',
    tls: false,
    trusted: false,
    smtpUtf8: false,
    eightBit: false,
    ...given,
  };
}

/** The zone of a case: its record at example.com beside what it says of names. */
export function zoneOf({ record, zone = {} }: SpfCase): Zone {
  const texts = record === undefined ? [] : typeof record === 'string' ? [record] : record;
  if (texts.length === 0) return zone;
  const own: NameData = { ...zone['example.com'], TXT: texts };
  return { ...zone, 'example.com': own };
}
