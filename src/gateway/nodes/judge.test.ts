import { describe, expect, it } from 'vitest';
import type { NodeRecord } from '../../store/node-types.js';
import { changesOf, judgeNodes, VERSION_SUBJECT } from './judge.js';

const NOW = new Date('2026-11-22T12:00:00Z');
const MINUTE = 60_000;

function ago(ms: number): Date {
  return new Date(NOW.getTime() - ms);
}

function node(name: string, given: Partial<NodeRecord> = {}): NodeRecord {
  const silence = given.silence ?? 0;
  return {
    name,
    roles: ['gateway'],
    address: '10.0.0.1',
    port: 25,
    comment: '',
    timezone: 'UTC',
    version: '1.0.0',
    rules: 'a'.repeat(64),
    clock: 0,
    started: ago(60 * MINUTE),
    lastSeen: ago(silence),
    silence,
    rulesSince: ago(60 * MINUTE),
    ...given,
  };
}

describe('a node that is silent', () => {
  it('is unavailable after a minute and not before; one that said goodbye never is', () => {
    const nodes = [
      node('gw1'),
      node('gw2', { silence: 59_000 }),
      node('gw3', { silence: 61_000 }),
      node('gw4', { silence: 9_000_000, stopped: ago(9_000_000) }),
    ];
    expect(judgeNodes(nodes, 'gw1', NOW, true)).toMatchObject([
      { event: 'node-unavailable', node: 'gw3', subject: '', lastSuccess: ago(61_000) },
    ]);
  });

  it('is not missed while the control node itself was cut off', () => {
    expect(judgeNodes([node('gw1'), node('gw2', { silence: 100_000 })], 'gw1', NOW, false)).toEqual([]);
  });

  it('says nothing about rule sets and versions any more', () => {
    const dead = node('gw2', { silence: 100_000, rules: 'b', version: '0.9.0' });
    expect(judgeNodes([node('gw1'), dead], 'gw1', NOW, true).map(({ event }) => event)).toEqual(['node-unavailable']);
  });
});

describe('rule sets that differ', () => {
  const other = 'b'.repeat(64);

  it('are said after five minutes, of the nodes that are not like most', () => {
    const nodes = [
      node('gw1', { rules: other, rulesSince: ago(6 * MINUTE) }),
      node('gw2'),
      node('gw3'),
      node('gw4', { rules: other, rulesSince: ago(4 * MINUTE) }),
      node('gw5'),
    ];
    expect(judgeNodes(nodes, 'gw1', NOW, true).map(({ event, node: name }) => [event, name])).toEqual([
      ['settings-differ', 'gw1'],
    ]);
  });

  it('count from when most have gone over, for the one that was left behind', () => {
    const behind = node('gw3', { rules: other });
    const gone = (since: number): NodeRecord[] => [
      node('gw1', { rulesSince: ago(since) }),
      node('gw2', { rulesSince: ago(since + MINUTE) }),
      behind,
    ];
    expect(judgeNodes(gone(3 * MINUTE), 'gw1', NOW, true)).toEqual([]);
    expect(judgeNodes(gone(5 * MINUTE), 'gw1', NOW, true)).toMatchObject([{ event: 'settings-differ', node: 'gw3' }]);
  });

  it('between two nodes it is the one that is not the control node', () => {
    const nodes = [node('gw1', { rules: other }), node('gw2')];
    expect(judgeNodes(nodes, 'gw1', NOW, true)).toMatchObject([{ node: 'gw2' }]);
    expect(judgeNodes(nodes, 'gw2', NOW, true)).toMatchObject([{ node: 'gw1' }]);
  });
});

it('versions that differ are said at once', () => {
  const nodes = [node('gw1'), node('gw2'), node('wk1', { version: '1.1.0' })];
  expect(judgeNodes(nodes, 'gw1', NOW, true)).toMatchObject([
    { event: 'cluster-misconfigured', node: 'wk1', subject: VERSION_SUBJECT },
  ]);
});

it('what the control node before has raised is resolved by the next; the conditions of others are left alone', () => {
  const held = (event: string, name: string, subject = '') =>
    ({ event, node: name, subject, severity: 'error', detail: '', first: ago(MINUTE), last: ago(MINUTE) }) as const;
  const nodes = [node('gw1'), node('gw2', { silence: 90_000 }), node('gw3')];
  const changes = changesOf(
    judgeNodes(nodes, 'gw1', NOW, true),
    [
      held('node-unavailable', 'gw2'),
      held('node-unavailable', 'gw3'),
      held('cluster-misconfigured', 'gw1'),
      held('cluster-misconfigured', 'gw3', VERSION_SUBJECT),
      held('disk-low', 'gw3'),
    ],
    NOW,
  );
  expect(changes.raised).toEqual([]);
  expect(changes.still).toMatchObject([{ node: 'gw2', first: ago(MINUTE), last: NOW }]);
  expect(changes.resolved.map(({ event, node: name, resolvedAt }) => [event, name, resolvedAt])).toEqual([
    ['node-unavailable', 'gw3', NOW],
    ['cluster-misconfigured', 'gw3', NOW],
  ]);
});
