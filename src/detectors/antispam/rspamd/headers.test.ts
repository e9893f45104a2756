import { expect, it } from 'vitest';
import type { Envelope } from '../../../message/envelope.js';
import { sessionHeaders } from './headers.js';

const ENVELOPE: Envelope = {
  sender: 'a@partner.example',
  recipients: [{ address: 'b@example.org' }, { address: 'c@example.org' }],
  client: '192.0.2.7',
  helo: 'mail.partner.example',
  tls: true,
  user: 'ann',
  trusted: false,
  smtpUtf8: false,
  eightBit: false,
};

it('tells rspamd what is known of the session, and the queue ID', () => {
  expect(sessionHeaders(ENVELOPE, 'secret', '01J0000000000000000000000A')).toEqual({
    From: 'a@partner.example',
    Rcpt: ['b@example.org', 'c@example.org'],
    IP: '192.0.2.7',
    Helo: 'mail.partner.example',
    'Queue-Id': '01J0000000000000000000000A',
    User: 'ann',
    'TLS-Cipher': 'TLS',
    Password: 'secret',
  });
});

it('leaves out what there is not, and ends no line early', () => {
  const { user, ...rest } = ENVELOPE;
  expect(user).toBe('ann');
  const headers = sessionHeaders(
    { ...rest, sender: '', helo: 'x\r\nPass: all', tls: false, recipients: [] },
    undefined,
  );
  expect(headers).toEqual({ From: '<>', Rcpt: [], IP: '192.0.2.7', Helo: 'x  Pass: all' });
});
