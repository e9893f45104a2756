import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linesOf } from '../../src/cli/rules.js';
import type { RuleData } from '../../src/rules/model.js';
import { openDatabase, type Database } from '../../src/store/database.js';
import { openRuleCounters } from '../../src/store/rule-counters.js';
import { silentLog } from '../../src/telemetry/log.js';
import { startTestStore, type TestStore } from '../support/postgres.js';
import { until } from '../support/until.js';

const DAY = 86_400_000;
const NOW = new Date('2026-11-21T12:00:00Z');
const ago = (days: number): Date => new Date(NOW.getTime() - days * DAY);
const hit = (rule: string, response = '') => ({ rule, response, matched: 1, decided: 1, audited: 0 });

let test: TestStore;
let database: Database;

beforeAll(async () => {
  test = await startTestStore();
  database = openDatabase({ ...test.store.connection }, silentLog());
});

afterAll(async () => {
  await database.close();
  await test.stop();
});

/** False while the server that was killed before is not replaced yet. */
function killed(): boolean {
  try {
    test.killServer();
    return true;
  } catch {
    return false;
  }
}

async function of(rule: string, response = ''): Promise<unknown> {
  const all = await test.store.counters.counts(NOW);
  const found = all.find((one) => one.rule === rule && one.response === response);
  return found && [found.last7.matched, found.last30.matched, found.total.matched, found.lastHit.toISOString()];
}

describe('counters of rules', () => {
  it('are added up by day, over all nodes', async () => {
    const nodes = [1, 2, 3].map(() => openRuleCounters(database, silentLog()));
    for (const node of nodes) {
      for (let n = 0; n < 100; n++) node.count([hit('a'), hit('a', 'malware')], ago(0));
      node.count([hit('a')], ago(6));
      node.count([hit('a')], ago(8));
      node.count([hit('a'), hit('b')], ago(40));
    }
    await Promise.all(nodes.map((node) => node.flush()));
    expect(await of('a')).toEqual([303, 306, 309, ago(0).toISOString()]);
    expect(await of('a', 'malware')).toEqual([300, 300, 300, ago(0).toISOString()]);
    expect(await of('b')).toEqual([0, 0, 3, ago(40).toISOString()]);
    await Promise.all(nodes.map((node) => node.close(1000)));
  });

  it('tell matched, decided and audited apart', async () => {
    const { counters } = test.store;
    counters.count([{ rule: 'c', response: 'spam', matched: 1, decided: 0, audited: 1 }, hit('c', 'spam')], NOW);
    await counters.flush();
    const found = (await counters.counts(NOW)).find(({ rule }) => rule === 'c');
    expect(found?.total).toEqual({ matched: 2, decided: 1, audited: 1 });
  });

  it('keep the sum of days that are too old to be kept one by one', async () => {
    const { counters, retention } = test.store;
    for (const days of [500, 450, 3]) counters.count([hit('old')], ago(days));
    await counters.flush();
    await retention.run({ now: NOW, journalAge: DAY, quarantineAge: DAY, quarantineSize: 1e9 });
    await retention.run({ now: NOW, journalAge: DAY, quarantineAge: DAY, quarantineSize: 1e9 });
    expect(await of('old')).toEqual([1, 1, 3, ago(3).toISOString()]);
    const { rows } = await database.pool.query(`SELECT FROM gatepost.rule_count WHERE rule = 'old'`);
    expect(rows).toHaveLength(2);
  });

  it('lose nothing and count nothing twice when the server is killed again and again', async () => {
    const { counters } = test.store;
    let counted = 0;
    for (let round = 0; round < 3; round++) {
      const writes: Promise<void>[] = [];
      for (let n = 0; n < 50; n++) {
        counters.count([hit('killed')], NOW);
        counted += 1;
        writes.push(counters.flush());
        if (n === 25) await until('a server to kill', () => Promise.resolve(killed()));
      }
      await Promise.all(writes);
      await until('the server', async () => {
        try {
          await test.store.ping();
          return true;
        } catch {
          return false;
        }
      });
    }
    await until('all of them', async () => {
      try {
        await counters.flush();
        return (await of('killed')) !== undefined && ((await of('killed')) as number[])[2] === counted;
      } catch {
        return false;
      }
    });
    await counters.flush();
    expect(((await of('killed')) as number[])[2]).toBe(counted);
  });

  it('know since when a rule is in force, and point out one without a hit', async () => {
    const { counters } = test.store;
    counters.know(['a', 'idle', 'young', 'back']);
    await counters.flush();
    // The server was killed before, and may be on its way back.
    const answers = async (): Promise<boolean> =>
      await database.pool.query('SELECT 1').then(
        () => true,
        () => false,
      );
    await until('the database to answer', answers);
    const set = (rule: string, first: number, last: number) =>
      database.pool.query('UPDATE gatepost.rule_known SET first_seen = $2, last_seen = $3 WHERE rule = $1', [
        rule,
        new Date(Date.now() - first * DAY),
        new Date(Date.now() - last * DAY),
      ]);
    await set('idle', 91, 0);
    await set('a', 91, 0);
    await set('back', 200, 100);
    counters.know(['a', 'idle', 'young', 'back']);
    await counters.flush();
    const rule = (id: string, enabled = true): RuleData => ({
      id,
      name: id,
      enabled,
      mode: 'enforce',
      match: { senderIs: 'envelope' },
      process: 'scan',
      off: [],
      thresholds: {},
      on: [],
      additional: [],
    });
    counters.count([hit('a')], new Date());
    await counters.flush();
    const now = new Date();
    const rules = ['a', 'idle', 'young', 'back', 'never-run'].map((id) => rule(id));
    const lines = linesOf([...rules], await counters.counts(now), await counters.known(), now);
    expect(lines.map(({ id, idle }) => [id, idle])).toEqual([
      ['a', false],
      ['idle', true],
      ['young', false],
      // It was in no set for months: its time begins anew.
      ['back', false],
      ['never-run', false],
    ]);
    expect(linesOf([rule('idle', false)], [], await counters.known(), now)[0]?.idle).toBe(false);
  });

  it('are bounded, and never wait for a database that is away', async () => {
    const away = openDatabase({ host: '127.0.0.1', port: 1 }, silentLog());
    const counters = openRuleCounters(away, silentLog());
    for (let n = 0; n < 100_010; n++) counters.count([hit(`r${n}`)], NOW);
    expect(counters.lost).toBe(10);
    counters.count([hit('r1')], NOW);
    expect(counters.lost).toBe(10);
    await counters.close(100);
    await away.close();
  });
});
