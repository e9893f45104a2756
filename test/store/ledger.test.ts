import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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

describe('the ledger', () => {
  const owed = (values: Partial<LedgerEntry> = {}): LedgerEntry => ({
    id: newTraceId(),
    kind: 'rule',
    traceId: newTraceId(),
    rule: 'default',
    group: 'general',
    to: 'Admin@example.org',
    template: 'malware',
    state: 'queued',
    attempts: 0,
    messageId: 'n1@example.org',
    time: new Date('2026-11-21T10:00:00Z'),
    ...values,
  });

  it('keeps the newest state, and a final one for good', async () => {
    const { ledger } = test.store;
    const first = owed();
    await ledger.put(first);
    expect(await ledger.get(first.id)).toEqual(first);
    const sent: LedgerEntry = { ...first, state: 'sent', attempts: 2, lastReply: '250 ok \0' };
    await ledger.put(sent);
    await ledger.put({ ...first, state: 'failed', reason: 'late' });
    await ledger.put(first);
    expect(await ledger.get(first.id)).toEqual({ ...sent, lastReply: '250 ok \ufffd' });
  });

  it('keeps what is known of attempts when a mail is owed once more', async () => {
    const { ledger, sending } = test.store;
    const first = owed();
    const tried: LedgerEntry = { ...first, attempts: 2, lastReply: '451 later' };
    await sending.record([{ entry: tried }]);
    await sending.record([{ entry: { ...first, time: new Date('2026-11-21T11:00:00Z') } }]);
    expect(await ledger.get(first.id)).toEqual(tried);
  });

  it('writes nothing of what was decided when one row cannot be written', async () => {
    const { ledger, sending } = test.store;
    const [good, bad] = [owed(), owed({ time: new Date(Number.NaN) })];
    const ask = (entries: readonly LedgerEntry[]) =>
      sending.admit(
        entries.map((entry) => ({ entry, address: entry.to.toLowerCase(), source: '' })),
        { now: Date.parse('2026-11-21T10:00:00Z'), interval: 0, rate: { count: 10, per: 60_000 } },
      );
    await expect(ask([good, bad])).rejects.toThrow();
    expect(await ledger.get(good.id)).toBeUndefined();
    expect(await ask([good])).toMatchObject([{ state: 'send', entry: { attempts: 1 } }]);
    expect(await ledger.get(good.id)).toMatchObject({ state: 'queued', attempts: 1 });
  });

  it('tells which of many are settled', async () => {
    const { ledger } = test.store;
    const [queued, sent, folded] = [owed(), owed({ state: 'suppressed', reason: 'loop' }), owed({ state: 'folded' })];
    for (const one of [queued, sent, folded]) await ledger.put(one);
    expect(await ledger.settled([queued.id, sent.id, folded.id, 'unknown'])).toEqual(new Set([sent.id, folded.id]));
    expect(await ledger.settled([])).toEqual(new Set());
  });

  it('lists by message, state and address', async () => {
    const { ledger } = test.store;
    const traceId = newTraceId();
    const to = `${traceId}@Example.org`;
    const one = owed({ traceId, to, time: new Date('2026-11-21T10:00:00Z') });
    const two = owed({ traceId, state: 'sent', to, time: new Date('2026-11-21T11:00:00Z') });
    await ledger.put(two);
    await ledger.put(one);
    expect(await ledger.ofMessage(traceId)).toEqual([one, two]);
    expect(await ledger.list({ to: to.toLowerCase() })).toEqual([two, one]);
    expect(await ledger.list({ to, state: 'sent' })).toEqual([two]);
    expect(await ledger.list({ to, limit: 1 })).toEqual([two]);
  });
});
