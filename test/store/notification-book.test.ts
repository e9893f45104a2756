import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findStories } from '../../src/cli/trace-find.js';
import { newTraceId } from '../../src/message/trace-id.js';
import type { LedgerEntry } from '../../src/store/types.js';
import { startTestStore, type TestStore } from '../support/postgres.js';

let test: TestStore;
beforeAll(async () => {
  test = await startTestStore();
});
afterAll(async () => {
  await test.stop();
});

const NOW = new Date('2026-11-21T12:00:00Z');
const KEPT = { queue: 'notifications', job: '{"x":"\\u0000\\ud800"}' };
let made = 0;

function entry(changes: Partial<LedgerEntry> = {}): LedgerEntry {
  made += 1;
  return {
    id: `n${String(made).padStart(39, '0')}`,
    kind: 'rule',
    traceId: newTraceId(),
    rule: 'inbound',
    group: 'general',
    to: 'Security@example.org',
    template: 'rule-general',
    state: 'queued',
    attempts: 1,
    messageId: `m${made}@example.org`,
    time: new Date(NOW.getTime() + made),
    ...changes,
  };
}

describe('a retry by hand', () => {
  it('takes a final state back once, says who did it, and the job stays until there is another', async () => {
    const { ledger, notifications } = test.store;
    const failed = entry({ state: 'failed', reason: 'refused', lastReply: '550 no' });
    await ledger.put(failed, KEPT);
    expect(await notifications.open(10)).toEqual([]);
    const both = await Promise.all([1, 2].map(() => notifications.retry(failed.id, 'root@gw1', false, NOW)));
    expect([...both].sort()).toEqual(['hurried', 'reopened']);
    expect(await ledger.get(failed.id)).toMatchObject({ state: 'queued', attempts: 1, reopenedAt: NOW });
    expect((await ledger.get(failed.id))?.reason).toBeUndefined();
    expect(await notifications.reopenings(failed.id)).toEqual([
      { time: NOW, who: 'root@gw1', was: 'failed', reason: 'refused', attempts: 1, lastReply: '550 no' },
    ]);
    expect(await notifications.open(10)).toEqual([{ id: failed.id, ...KEPT }]);
    await ledger.put({ ...failed, state: 'sent', lastReply: '250 ok' }, KEPT);
    expect(await notifications.open(10)).toEqual([]);
    expect(await ledger.get(failed.id)).toMatchObject({ state: 'sent', reopenedAt: NOW });
    await ledger.put({ ...failed, state: 'failed' });
    expect((await ledger.get(failed.id))?.state).toBe('sent');
  });

  it('one that waits is tried at once, told once', async () => {
    const { ledger, notifications } = test.store;
    const waiting = entry({ nextAttempt: new Date(NOW.getTime() + 60_000) });
    await ledger.put(waiting);
    expect(await notifications.retry(waiting.id, 'x', false, NOW)).toBe('hurried');
    const taken = await Promise.all([1, 2, 3].map(() => notifications.takeHurried(10)));
    expect(taken.flat()).toEqual([waiting]);
  });

  it('says why not', async () => {
    const { ledger, notifications } = test.store;
    const sent = entry({ state: 'sent' });
    const dsn = entry({ kind: 'dsn', state: 'failed' });
    const held = entry({ state: 'suppressed' });
    for (const each of [sent, dsn, held]) await ledger.put(each);
    const ask = async (id: string, again = false): Promise<string> => await notifications.retry(id, 'x', again, NOW);
    expect(await ask('n0')).toBe('missing');
    expect(await ask(sent.id)).toBe('sent');
    expect(await ask(sent.id, true)).toBe('gone');
    expect(await ask(dsn.id)).toBe('spooled');
    expect(await ask(held.id, true)).toBe('suppressed');
    await ledger.put(entry({ id: sent.id, state: 'sent' }), KEPT);
    expect(await ask(sent.id, true)).toBe('reopened');
  });
});

it('finds by what is asked for', async () => {
  const { ledger, notifications } = test.store;
  const one = entry({ to: 'a_b%c@example.net', kind: 'notice', state: 'failed' });
  await ledger.put(one);
  const ids = async (filter: Parameters<typeof notifications.list>[0]): Promise<readonly string[]> =>
    (await notifications.list(filter)).map(({ id }) => id);
  expect(await ids({ to: 'A_B%c@EXAMPLE.net' })).toEqual([one.id]);
  expect(await ids({ to: 'aXb%c@example.net' })).toEqual([]);
  expect(await ids({ to: 'a?b*@example.net', kind: 'notice', state: 'failed' })).toEqual([one.id]);
  expect(await ids(one.traceId === undefined ? {} : { traceId: one.traceId })).toEqual([one.id]);
  expect(await ids({ since: new Date(one.time.getTime() + 1) })).toEqual([]);
  expect(await ids({ limit: 2 })).toHaveLength(2);
  expect((await notifications.byMessageId(one.messageId)).map(({ id }) => id)).toEqual([one.id]);
  expect(await notifications.byMessageId('')).toEqual([]);
});

it('pages: what lies behind a notification in the list', async () => {
  const { ledger, notifications } = test.store;
  const three = [1, 2, 3].map(() => entry({ to: 'pages@example.org' }));
  for (const each of three) await ledger.put(each);
  const page = async (after?: string): Promise<readonly string[]> =>
    (await notifications.list({ to: 'pages@example.org', limit: 2, ...(after === undefined ? {} : { after }) })).map(
      ({ id }) => id,
    );
  const [one, two, last] = three.map(({ id }) => id);
  expect(await page()).toEqual([last, two]);
  expect(await page(two)).toEqual([one]);
  expect(await page(one)).toEqual([]);
});

it('a summary is found from what it stands for, and the other way; one that failed is sent again', async () => {
  const { ledger, notifications, sending } = test.store;
  const rules = { now: NOW.getTime(), rate: { count: 1, per: 3_600_000 }, interval: 0 };
  const mails = [1, 2, 3].map(() => entry({ to: 'Storm@example.org', attempts: 0 }));
  const admitted = await sending.admit(
    mails.map((each) => ({ entry: each, address: 'storm@example.org', source: '', ruleName: 'Inbound mail' })),
    rules,
  );
  expect(admitted.map(({ state }) => state)).toEqual(['send', 'over', 'over']);
  const due = await notifications.summaryDue('Storm@example.org');
  expect(due).toEqual(new Date(NOW.getTime() + 3_600_000));
  await sending.claimSummary('storm@example.org', NOW.getTime() + 3_600_000, () => ({
    id: 's1',
    messageId: 's1@example.org',
  }));
  expect(await notifications.summaryDue('storm@example.org')).toBeUndefined();
  expect(await notifications.summary('s1')).toMatchObject({
    total: 2,
    rules: [{ name: 'inbound', title: 'Inbound mail', count: 2 }],
  });
  const told = await notifications.list({ summary: 's1' });
  expect(told.map(({ id, state, summary }) => [id, state, summary])).toEqual(
    mails
      .slice(1)
      .reverse()
      .map(({ id }) => [id, 'folded', 's1']),
  );
  const stories = await findStories(test.store, '<s1@example.org>', []);
  expect(stories).toMatchObject([
    { notifications: [{ id: 's1', kind: 'summary' }], summary: { said: { total: 2 }, folded: told } },
  ]);
  const [row] = await notifications.byMessageId('s1@example.org');
  if (row === undefined) throw new Error('the summary has no row');
  await ledger.put({ ...row, state: 'failed', reason: 'refused' });
  await sending.settleSummary('s1');
  expect(await notifications.retry('s1', 'root@gw1', false, NOW)).toBe('reopened');
  expect(await sending.owedSummaries(10)).toEqual(['s1']);
});

it('a webhook is told of an event by the first of many who look', async () => {
  const { webhooks } = test.store;
  const call = { id: 'w1', hook: 'h', time: NOW, call: '{}' };
  expect(await webhooks.mark('h')).toBeUndefined();
  const won = await Promise.all([1, 2, 3].map(() => webhooks.claim('h', undefined, 5, [call])));
  expect(won.filter(Boolean)).toHaveLength(1);
  expect(await webhooks.claim('h', 4, 6, [{ ...call, id: 'w2' }])).toBe(false);
  expect(await webhooks.claim('h', 5, 6, [{ ...call, id: 'w3' }])).toBe(true);
  expect((await webhooks.owed(10)).map(({ id }) => id)).toEqual(['w1', 'w3']);
  expect(await webhooks.waiting('h')).toBe(2);
  await webhooks.settle(['w1', 'w3']);
  expect(await webhooks.owed(10)).toEqual([]);
  expect(await webhooks.mark('h')).toBe(6);
});
