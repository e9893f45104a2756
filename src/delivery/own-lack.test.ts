import { expect, test } from 'vitest';
import type { EventName } from '../events/registry.js';
import { silentLog } from '../telemetry/log.js';
import { Breaker } from './breaker.js';
import { HopError } from './client/errors.js';
import { Destinations } from './destinations.js';
import { isOwnLack } from './own-lack.js';
import { ownReply } from './reply.js';
import type { HopResult, NextHop } from './types.js';

const lack = (code: string) => Object.assign(new Error('no'), { code });

test.each(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM'])('%s is a lack of our own, wherever it is told', (code) => {
  expect(isOwnLack(lack(code))).toBe(true);
  expect(isOwnLack(new HopError('connect', ownReply(451, '4.4.1', 'x'), lack(code)))).toBe(true);
});

test('what others do is none', () => {
  for (const code of ['ECONNREFUSED', 'ETIMEDOUT', 'ENOSPC', '']) expect(isOwnLack(lack(code))).toBe(false);
  const circle: { cause?: unknown } & Error = new Error('round');
  circle.cause = circle;
  expect(isOwnLack(circle)).toBe(false);
  expect(isOwnLack(undefined)).toBe(false);
});

test('it says nothing about the hop: no breaker opens, no event is raised, no other hop is tried', async () => {
  const tried: string[] = [];
  const raised: string[] = [];
  const open = (name: string): NextHop => ({
    name,
    send: ({ recipients }): Promise<HopResult> => {
      tried.push(name);
      const reply = ownReply(451, '4.3.0', 'no means');
      const results = recipients.map(({ address }) => ({ address, state: 'deferred' as const, reply }));
      return Promise.resolve({ recipients: results, hopFailed: false, ownLack: true });
    },
    probe: () => Promise.reject(lack('EMFILE')),
    close: () => Promise.resolve(),
  });
  const destinations = new Destinations({
    nextHop: ['one', 'two'],
    routes: {},
    open,
    onBack: () => undefined,
    log: silentLog(),
    reporter: {
      raise: (event: EventName) => void raised.push(`+${event}`),
      resolve: (event: EventName) => void raised.push(`-${event}`),
    },
  });
  const destination = destinations.of('a@x.test');
  const mail = {
    id: 'T',
    sender: 'a@x.test',
    recipients: [{ address: 'b@x.test' }],
    content: { size: 0, read: () => [] },
    smtpUtf8: false,
    eightBit: false,
  };
  for (let count = 0; count < 10; count += 1)
    expect((await destination.send(mail)).recipients).toMatchObject([{ state: 'deferred' }]);
  await destinations.check();
  expect(destination.available).toBe(true);
  expect(destinations.states.map(({ state, failures }) => [state, failures])).toEqual([
    ['ok', 0],
    ['ok', 0],
  ]);
  expect(tried).toEqual(Array.from({ length: 10 }, () => 'one'));
  expect(raised).toEqual([]);
  await destinations.close();
});

test('a probe that cannot connect for want of means does not end the watch', async () => {
  const errors = [lack('EMFILE'), lack('EMFILE')];
  const state = { back: 0, down: 0 };
  const breaker = new Breaker({
    name: 'h',
    probe: () => {
      const error = errors.shift();
      return error === undefined ? Promise.resolve() : Promise.reject(error);
    },
    onBack: () => (state.back += 1),
    onDown: () => (state.down += 1),
    log: silentLog(),
    interval: 5,
  });
  breaker.failed('it was away');
  await expect.poll(() => state.back).toBe(1);
  expect(state.down).toBe(1);
  breaker.close();
});
