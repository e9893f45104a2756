import pg from 'pg';
import { afterAll, describe, expect, it } from 'vitest';
import { measuredStore } from '../../src/gateway/http/measured.js';
import { keptOf } from '../../src/notifications/kept.js';
import type { LedgerEntry } from '../../src/store/types.js';
import { Metrics } from '../../src/telemetry/metrics.js';
import { startTestStore } from '../support/postgres.js';
import { owedNotification } from './support.js';

const T0 = Date.UTC(2026, 10, 22, 8);
const stored = await startTestStore();
const { sending } = stored.store;
const pool = new pg.Pool({ ...stored.store.connection, max: 2 });
afterAll(async () => {
  await pool.end();
  await stored.stop();
});

/** Rows as an outbreak leaves them. */
async function fold(address: string, count: number, summary: string | null = null): Promise<void> {
  await pool.query(
    `INSERT INTO gatepost.notification (id, kind, trace_id, rule, recipient_group, recipient, template, state, attempts,
       message_id, time, address, source, folded, summary)
     SELECT md5($1 || n || COALESCE($3, '')), 'rule', NULL, 'inbound', 'general', $1, 'rule-general', 'folded', 0, '', $4, $1, 'partner.example', $4, $3
     FROM generate_series(1, $2::integer) AS n`,
    [address, count, summary, new Date(T0)],
  );
}

const storm = async (address: string, claim: string | null): Promise<void> => {
  await pool.query(
    'INSERT INTO gatepost.notification_storm (address, due, claim, claim_message_id) VALUES ($1, $2, $3, $3)',
    [address, new Date(T0), claim],
  );
};

describe('a summary of very many', () => {
  it('is made in parts, by one of two who try at the same time', async () => {
    await fold('many@example.org', 11_000);
    await storm('many@example.org', null);
    const claims = ['s1', 's2'].map((id) =>
      sending.claimSummary('many@example.org', T0, () => ({ id, messageId: `${id}@example.org` })),
    );
    expect((await Promise.all(claims)).filter(Boolean)).toHaveLength(1);
    const summaries = await Promise.all(['s1', 's2'].map((id) => sending.summary(id)));
    expect(summaries.flatMap((each) => each?.total ?? [])).toEqual([11_000]);
    expect(await sending.dueStorms(T0 + 1, 100, true)).not.toContain('many@example.org');
  });

  it('that a worker died over is made by the next, with all that was given to it', async () => {
    await fold('died@example.org', 5, 's3');
    await fold('died@example.org', 7);
    await storm('died@example.org', 's3');
    expect(await sending.claimSummary('died@example.org', T0, () => ({ id: 's4', messageId: 'x' }))).toBe(true);
    expect(await sending.summary('s4')).toBeUndefined();
    expect(await sending.summary('s3')).toMatchObject({ total: 12, to: 'died@example.org' });
  });
});

describe('what is kept of a mail', () => {
  const job = { notification: owedNotification({ attach: 'original' }), original: 'QQ==' };
  const { id, traceId, to } = job.notification;
  const entry: LedgerEntry = {
    ...{ id, traceId, to, kind: 'rule', rule: 'inbound', group: 'general', template: 'rule-general' },
    ...{ state: 'sent', attempts: 1, messageId: 'm@example.org', time: new Date(T0) },
  };
  const kept = async (): Promise<readonly string[]> =>
    (await pool.query<{ job: string }>('SELECT job FROM gatepost.notification_kept WHERE id = $1', [id])).rows.map(
      (row) => row.job,
    );

  it('that was sent is not the original, and goes with the row', async () => {
    expect(JSON.parse(keptOf(job, 'failed').job)).toEqual(job);
    await sending.record([{ entry, kept: keptOf(job, 'sent') }]);
    expect((await kept()).map((text) => JSON.parse(text) as unknown)).toEqual([{ notification: job.notification }]);
    const limits = { now: new Date(T0 + 100 * 86_400_000), journalAge: 86_400_000 };
    await stored.store.retention.run({ ...limits, quarantineAge: 86_400_000, quarantineSize: 1e12 });
    expect(await kept()).toEqual([]);
  });

  it('final states are counted by kind', async () => {
    const metrics = new Metrics({ version: '1', node: 'gw1' });
    const { ledger, sending: measured } = measuredStore(stored.store, metrics);
    const row = (name: string, state: LedgerEntry['state']): LedgerEntry => ({ ...entry, id: `n${name}`, state });
    await ledger.put(row('a', 'suppressed'));
    await ledger.put(row('b', 'queued'));
    await measured.record([{ entry: row('c', 'sent') }, { entry: row('d', 'failed') }, { entry: row('e', 'queued') }]);
    const question = (name: string) => ({ entry: row(name, 'queued'), address: 'full@example.org', source: '' });
    const rules = { now: T0, interval: 0, rate: { count: 1, per: 60_000 } };
    await measured.admit([question('f'), question('g'), question('h')], rules);
    const text = await metrics.text();
    for (const [state, count] of Object.entries({ suppressed: 1, sent: 1, failed: 1, folded: 2 }))
      expect(text).toContain(`gatepost_notifications_total{kind="rule",state="${state}"} ${String(count)}\n`);
    expect(text).not.toContain('state="queued"');
  });
});
