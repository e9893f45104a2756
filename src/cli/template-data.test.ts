import { expect, it } from 'vitest';
import { contextOfKind } from '../notifications/templates/samples.js';
import type { DeliveryRecord } from '../store/types.js';
import { ofMail } from './template-data.js';

const row = (recipient: string, item: string, hop: string, reply: string): DeliveryRecord => ({
  ...{ recipient, item, state: 'failed', hop, reply, time: new Date(0) },
});

it('a preview of a DSN names the servers and what they said, and not what became of the DSN itself', () => {
  const rule = contextOfKind({ kind: 'rule', name: 'rule-general' });
  if ('kind' in rule) throw new Error('no context of a rule');
  const context = ofMail({ kind: 'dsn', name: 'dsn-failure' }, rule, [
    row(
      'bob@example.org',
      'X',
      'smtp://192.0.2.1:2525',
      '4.4.7 the time for delivery is over; the last reply was: 451 4.2.0 later',
    ),
    row('carol@example.org', 'X', '', '451 4.4.1 it has not been tried yet'),
    row('alice@partner.example', 'X.dsn-0123456789', 'smtp://192.0.2.1', '550 5.1.1 no such user'),
  ]);
  expect(context).toMatchObject({
    affectedRecipients: ['bob@example.org', 'carol@example.org'],
    reported: [
      { address: 'bob@example.org', server: '192.0.2.1', reply: '451 4.2.0 later', status: '4.4.7' },
      { address: 'carol@example.org', server: '', reply: '451 4.4.1 it has not been tried yet' },
    ],
  });
});
