import { expect, test } from 'vitest';
import { newTraceId } from '../message/trace-id.js';
import type { AttemptedRecipient } from './attempt.js';
import { isOver, keepWaiting, settle } from './settle.js';
import { formatItem, HISTORY, parseItem, type SpoolItem } from './spool-item.js';
import { newItem } from './spool-item.js';

const START = Date.parse('2030-01-01T00:00:00Z');
const RETRY = { delays: [60_000, 300_000], lifetime: 3_600_000 };

function item(...addresses: readonly string[]): SpoolItem {
  const id = newTraceId();
  const envelope = {
    sender: 'a@x.test',
    recipients: addresses.map((address) => ({ address })),
    client: '::1',
    helo: 'x',
    tls: false,
    trusted: true,
    smtpUtf8: false,
    eightBit: false,
  };
  const mail = { item: id, traceId: id, envelope, content: { size: 3 }, eightBit: false, bounce: 'allowed' as const };
  return newItem(mail, new Date(START), 'smtp://h:25');
}

function result(address: string, state: AttemptedRecipient['state'], tried = true): AttemptedRecipient {
  const code = { delivered: 250, deferred: 451, refused: 550 }[state];
  return { address, state, reply: { code, text: state }, hop: 'smtp://h:25', tried };
}

test('only what waits is touched, and what is settled stays so', () => {
  const first = settle(
    item('a', 'b', 'c'),
    [result('a', 'delivered'), result('b', 'deferred'), result('c', 'refused')],
    RETRY,
    START,
    0.5,
  );
  expect(first.item.recipients.map(({ state }) => state)).toEqual(['delivered', 'waiting', 'failed']);
  expect(first.delivered.map(({ address }) => address)).toEqual(['a']);
  expect(first.failed.map(({ recipient, byHop }) => [recipient.address, byHop])).toEqual([['c', true]]);
  expect(Date.parse(first.item.nextAttempt)).toBe(START + 60_000);
  const second = settle(first.item, [result('a', 'refused'), result('b', 'delivered')], RETRY, START + 60_000);
  expect(second.item.recipients.map(({ state }) => state)).toEqual(['delivered', 'delivered', 'failed']);
  expect(second.failed).toEqual([]);
  expect(isOver(second.item)).toBe(true);
});

test('the time in the queue ends with an attempt, never later than its end', () => {
  const late = settle(item('a'), [result('a', 'deferred')], RETRY, START + RETRY.lifetime - 10, 0.5);
  expect(isOver(late.item)).toBe(false);
  expect(Date.parse(late.item.nextAttempt)).toBe(START + RETRY.lifetime);
  const over = settle(late.item, [result('a', 'deferred')], RETRY, START + RETRY.lifetime);
  expect(over.failed).toMatchObject([{ byHop: false, reply: { enhanced: '4.4.7' } }]);
});

test('a hop that was not asked costs no attempt, and does not prolong the time in the queue', () => {
  const first = settle(item('a'), [result('a', 'deferred', false)], RETRY, START, 0.5);
  expect(first.item).toMatchObject({ attempts: 0, history: [], recipients: [{ attempts: 0 }] });
  expect(settle(item('a'), [result('a', 'deferred', false)], RETRY, START + RETRY.lifetime).failed.length).toBe(1);
});

test('who could not be told waits on', () => {
  const { item: after, failed } = settle(
    item('a', 'b'),
    [result('a', 'refused'), result('b', 'delivered')],
    RETRY,
    START,
  );
  const kept = keepWaiting(after, failed, RETRY, START);
  expect(kept.recipients.map(({ state }) => state)).toEqual(['waiting', 'delivered']);
});

test('who could not be told waits for as long as after any attempt, also when his time is over', () => {
  const over = START + RETRY.lifetime;
  const { item: after, failed } = settle(item('a'), [result('a', 'deferred')], RETRY, over, 0.5);
  const kept = keepWaiting(after, failed, RETRY, over, 0.5);
  expect(kept.recipients).toMatchObject([{ state: 'waiting', attempts: 1 }]);
  expect(Date.parse(kept.nextAttempt)).toBe(over + 60_000);
});

test('an item survives its file, and its history is bounded', () => {
  let one = item('a');
  for (let attempt = 0; attempt < HISTORY + 5; attempt += 1)
    one = settle(one, [result('a', 'deferred')], { ...RETRY, lifetime: 1e12 }, START + attempt).item;
  expect(one.history.length).toBe(HISTORY);
  expect(parseItem(formatItem(one))).toEqual(one);
});

test.each(['', '{}', '{"version":2}', 'null', '[]'])('a file that says %j is damaged', (text) => {
  expect(() => parseItem(text)).toThrow();
});
