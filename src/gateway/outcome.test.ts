import { describe, expect, it } from 'vitest';
import { replyLine } from '../delivery/reply.js';
import { newTraceId } from '../message/trace-id.js';
import { decision, inspection, outcome } from '../../test/notifications/support.js';
import { fatesOf, judge, type Settlement } from './outcome.js';

const id = newTraceId();
const replies = {
  delivered: { code: 250, enhanced: '2.0.0', text: 'ok' },
  spooled: { code: 250, enhanced: '2.0.0', text: 'ok' },
  discarded: { code: 250, enhanced: '2.0.0', text: 'ok' },
  rejected: { code: 550, enhanced: '5.7.1', text: 'Refused by rule' },
  refused: { code: 551, enhanced: '5.1.1', text: 'No such user' },
  deferred: { code: 451, enhanced: '4.7.1', text: 'Later' },
  'no-room': { code: 452, enhanced: '4.3.1', text: 'full' },
};

const settle = (...states: Settlement['state'][]): Settlement[] =>
  states.map((state, i) => ({ recipient: `r${i}@example.org`, item: id, state, hop: '', reply: replies[state] }));

describe('one reply for all recipients', () => {
  it.each([
    [['delivered'], 250],
    [['discarded'], 250],
    [['rejected', 'discarded'], 250],
    [['rejected', 'spooled'], 250],
    [['refused', 'delivered'], 250],
    [['deferred', 'delivered'], 250],
    [['rejected'], 550],
    [['rejected', 'refused'], 550],
    [['refused', 'rejected'], 551],
    [['deferred'], 451],
    [['rejected', 'deferred'], 451],
    [['delivered', 'no-room'], 452],
  ] as const)('%j is answered %i', (states, code) => {
    expect(judge(id, settle(...states)).reply.code).toBe(code);
  });

  it('names the message in every reply', () => {
    for (const state of ['delivered', 'rejected', 'deferred', 'no-room'] as const)
      expect(judge(id, settle(state)).reply.text).toContain(id);
  });

  it('writes a reply on one line', () => {
    expect(replyLine(replies.rejected)).toBe('550 5.7.1 Refused by rule');
    expect(replyLine({ text: 'connection refused' })).toBe('connection refused');
  });
});

describe('what is told of recipients in place of what the rule said', () => {
  const fates = (redirect: readonly string[] | undefined, ...states: Settlement['state'][]): unknown[] => {
    const d = decision([], { action: 'deliver', ...(redirect === undefined ? {} : { redirect }) });
    const names = redirect === undefined ? states.map((_, i) => `r${i}@example.org`) : ['boss@example.org'];
    const { copies } = inspection(names.map((name) => outcome(name, d)));
    return [...fatesOf(copies.map((copy) => ({ copy, settlements: settle(...states) })))];
  };

  it('names those whom the next hop refused, and those who are to come again', () => {
    expect(fates(undefined, 'delivered', 'refused', 'deferred', 'spooled')).toEqual([
      ['r1@example.org', { action: 'reject', unknown: true }],
      ['r2@example.org', { action: 'defer' }],
    ]);
  });

  it('has a redirected copy refused when all refuse it who get it instead', () => {
    const instead = ['r0@example.org', 'r1@example.org'];
    expect(fates(instead, 'refused', 'delivered')).toEqual([]);
    expect(fates(instead, 'refused', 'refused')).toEqual([['boss@example.org', { action: 'reject' }]]);
  });
});
