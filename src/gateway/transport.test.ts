import { expect, test } from 'vitest';
import { ownReply } from '../delivery/reply.js';
import type { HopResult, NextHop, OutgoingMail } from '../delivery/types.js';
import { inOrder } from './transport.js';

const MAIL: OutgoingMail = {
  id: 'n1',
  sender: '',
  recipients: [{ address: 'admin@example.org' }],
  content: { size: 0, read: () => [] },
  smtpUtf8: false,
  eightBit: false,
};
const LATER = ownReply(451, '4.4.2', 'later');

interface Sent {
  /** Names of the hops that were tried. */
  readonly tried: readonly string[];
  readonly result: HopResult;
}

/** Sends where the first of three hops puts a mail off in a certain way, the second is out of reach, and the third takes it. */
async function send(way: Omit<HopResult, 'recipients'>): Promise<Sent> {
  const tried: string[] = [];
  const hop = (name: string, how: Omit<HopResult, 'recipients'> | 'delivered'): NextHop => ({
    name,
    send: ({ recipients }) => {
      tried.push(name);
      const state = how === 'delivered' ? how : 'deferred';
      const results = recipients.map(({ address }) => ({ address, state, reply: LATER }) as const);
      return Promise.resolve({ recipients: results, ...(how === 'delivered' ? { hopFailed: false } : how) });
    },
    probe: () => Promise.resolve(),
    close: () => Promise.resolve(),
  });
  const result = await inOrder([hop('first', way), hop('second', { hopFailed: true }), hop('third', 'delivered')]).send(
    MAIL,
  );
  return { tried, result };
}

test('a notification goes to the next server when one is out of reach', async () => {
  const { tried, result } = await send({ hopFailed: true });
  expect(tried).toEqual(['first', 'second', 'third']);
  expect(result).toMatchObject({ hopFailed: false, recipients: [{ hop: 'third', state: 'delivered' }] });
});

test.each([
  ['that a server may have taken', { hopFailed: true, inDoubt: true }],
  ['that a server that is well puts off', { hopFailed: false }],
  ['that cannot be sent for want of means', { hopFailed: false, ownLack: true }],
])('one %s is not given to another at once', async (_, way) => {
  const { tried, result } = await send(way);
  expect(tried).toEqual(['first']);
  expect(result).toEqual({
    ...way,
    recipients: [{ hop: 'first', address: 'admin@example.org', state: 'deferred', reply: LATER }],
  });
});
