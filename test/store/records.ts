import type { Envelope } from '../../src/message/envelope.js';
import { newTraceId } from '../../src/message/trace-id.js';
import type { DeliveryRecord, JournalEntry, QuarantineItem } from '../../src/store/types.js';

export const envelope: Envelope = {
  sender: 'Anna@example.net',
  recipients: [{ address: 'bob@example.org' }],
  client: '192.0.2.1',
  helo: 'mail.example.net',
  tls: false,
  trusted: false,
  smtpUtf8: false,
  eightBit: false,
};

/** A line of the journal. */
export function entry(values: Partial<JournalEntry> = {}): JournalEntry {
  return {
    id: newTraceId(),
    time: new Date('2026-11-21T10:00:00.123Z'),
    node: 'gw1',
    client: '192.0.2.1',
    helo: 'mail.example.net',
    sender: 'anna@example.net',
    recipients: ['bob@example.org'],
    subject: 'Hello',
    messageId: 'one@example.net',
    size: 2000,
    findings: [{ module: 'content', status: 'clean' }],
    modules: [{ module: 'content', status: 'clean', milliseconds: 1.5 }],
    decisions: [],
    audit: [],
    deliveries: [delivery('spooled')],
    reply: '250 2.0.0 Ok',
    ...values,
  };
}

export function delivery(state: DeliveryRecord['state'], at = '2026-11-21T10:00:01Z'): DeliveryRecord {
  return { recipient: 'bob@example.org', item: 'x', state, hop: 'smtp://hop', reply: '250 ok', time: new Date(at) };
}

/** An item of the quarantine, without its original of 3 bytes. */
export function item(values: Partial<QuarantineItem> = {}): QuarantineItem {
  return {
    id: newTraceId(),
    time: new Date(),
    node: 'gw1',
    envelope,
    recipients: ['bob@example.org'],
    subject: 'Hello',
    messageId: 'one@example.net',
    size: 3,
    rules: ['default'],
    findings: [{ module: 'signatures', status: 'infected', name: 'EICAR' }],
    state: 'stored',
    ...values,
  };
}
