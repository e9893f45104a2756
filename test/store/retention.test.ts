import { ulid } from 'ulid';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseTraceId, type TraceId } from '../../src/message/trace-id.js';
import { openDatabase, type Database } from '../../src/store/database.js';
import { openRetention } from '../../src/store/retention.js';
import type { JournalEntry, QuarantineItem, RetentionLimits } from '../../src/store/types.js';
import { silentLog } from '../../src/telemetry/log.js';
import { startTestStore, type TestStore } from '../support/postgres.js';

const DAY = 86_400_000;
const NOW = new Date('2026-11-21T12:00:00Z');
const ago = (days: number): Date => new Date(NOW.getTime() - days * DAY);

const limits: RetentionLimits = { now: NOW, journalAge: 90 * DAY, quarantineAge: 30 * DAY, quarantineSize: 1e9 };

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

/** Of that time, whatever IDs the process has made before. */
function idOf(time: Date): TraceId {
  const id = parseTraceId(ulid(time.getTime()));
  if (id === undefined) throw new Error('this is no trace ID');
  return id;
}

function entry(time: Date): JournalEntry {
  const id = idOf(time);
  return {
    id,
    time,
    node: 'gw1',
    client: '192.0.2.1',
    helo: 'x',
    sender: 'a@example.net',
    recipients: ['b@example.org'],
    subject: '',
    messageId: '',
    size: 1,
    findings: [],
    modules: [],
    decisions: [],
    audit: [],
    deliveries: [{ recipient: 'b@example.org', item: id, state: 'delivered', hop: 'h', reply: '250', time }],
    reply: '250',
  };
}

async function put(time: Date, size: number): Promise<TraceId> {
  const item: QuarantineItem = {
    id: idOf(time),
    time,
    node: 'gw1',
    envelope: {
      sender: '',
      recipients: [{ address: 'b@example.org' }],
      client: '192.0.2.1',
      helo: 'x',
      tls: false,
      trusted: false,
      smtpUtf8: false,
      eightBit: false,
    },
    recipients: ['b@example.org'],
    subject: '',
    messageId: '',
    size,
    rules: ['r'],
    findings: [],
    state: 'stored',
  };
  await test.store.quarantine.put(item, [Buffer.alloc(size)]);
  return item.id;
}

const kept = async (): Promise<string[]> => (await test.store.quarantine.list()).map(({ id }) => id).reverse();

async function count(table: string): Promise<number> {
  const { rows } = await database.pool.query<{ n: string }>(`SELECT count(*) AS n FROM gatepost.${table}`);
  return Number(rows[0]?.n);
}

describe('retention', () => {
  it('takes the journal that is over its age, in several batches, and leaves the rest', async () => {
    const { journal, ledger, retention } = test.store;
    for (let n = 0; n < 2300; n++) journal.record(entry(ago(91)));
    // Delivered late: it goes by its own time.
    const late = entry(ago(91));
    const young = entry(ago(89));
    journal.record(young);
    journal.record({ ...late, deliveries: late.deliveries.map((one) => ({ ...one, time: ago(89) })) });
    await journal.flush();
    const notification = (id: string, state: 'sent' | 'queued', time: Date): Parameters<typeof ledger.put>[0] => ({
      id,
      kind: 'rule',
      to: 'x@example.org',
      template: 't',
      state,
      attempts: 1,
      messageId: id,
      time,
    });
    await ledger.put(notification('old', 'sent', ago(91)));
    await ledger.put(notification('old-waiting', 'queued', ago(91)));
    await ledger.put(notification('young', 'sent', ago(89)));

    const report = await retention.run(limits);
    expect(report?.journal).toBe(2301 + 2300 + 1);
    expect(await journal.find(young.id)).toEqual(young);
    expect([await count('message'), await count('delivery')]).toEqual([1, 2]);
    expect((await ledger.list()).map(({ id }) => id).sort()).toEqual(['old-waiting', 'young']);
    expect((await retention.run(limits))?.journal).toBe(0);
  });

  it('takes originals that are over their age', async () => {
    const { quarantine, retention } = test.store;
    for (let n = 0; n < 45; n++) await put(ago(31 + n), 10);
    const young = await put(ago(29), 10);
    expect((await retention.run(limits))?.aged).toEqual({ items: 45, bytes: 450 });
    expect(await kept()).toEqual([young]);
    expect(await quarantine.total()).toEqual({ items: 1, bytes: 10 });
    await quarantine.delete(young);
  });

  it('over the size, takes the oldest first, as many as are needed, and none that is being released', async () => {
    const { quarantine, retention } = test.store;
    const ids: TraceId[] = [];
    // Put in another order than their age.
    for (const days of [10, 30, 20, 15, 25]) ids.push(await put(ago(days), 1000));
    const [d10 = ids[0], d30, d20, d15, d25] = ids;
    if (d30 === undefined) throw new Error('nothing was put');
    await quarantine.claim(d30, 'c', false);
    expect((await retention.run({ ...limits, quarantineSize: 3000 }))?.oversize).toEqual({ items: 2, bytes: 2000 });
    expect(await kept()).toEqual([d30, d15, d10]);
    expect([d20, d25].some((id) => id === undefined)).toBe(false);
    expect((await retention.run({ ...limits, quarantineSize: 3000 }))?.oversize.items).toBe(0);
    expect((await retention.run({ ...limits, quarantineSize: 1 }))?.oversize.items).toBe(2);
    expect(await kept()).toEqual([d30]);
    // A release that was given up an hour ago holds nothing back.
    await database.pool.query(`UPDATE gatepost.quarantine SET claimed = now() - interval '61 minutes'`);
    expect((await retention.run({ ...limits, quarantineSize: 1 }))?.oversize.items).toBe(1);
    expect(await count('quarantine_chunk')).toBe(0);
  });

  it('is done by one node at a time, and by another when that one is gone', async () => {
    const other = openRetention(database);
    const client = await database.pool.connect();
    await client.query('SELECT pg_advisory_lock(4811220702)');
    expect(await other.run(limits)).toBeUndefined();
    expect(await test.store.retention.run(limits)).toBeUndefined();
    client.release(true);
    await expect.poll(async () => await other.run(limits)).toBeDefined();
    await expect.poll(async () => await test.store.retention.run(limits)).toBeDefined();
  });

  it('stops between two batches', async () => {
    for (let n = 0; n < 3; n++) await put(ago(40), 10);
    expect((await test.store.retention.run(limits, AbortSignal.abort()))?.aged.items).toBe(0);
    expect((await test.store.retention.run(limits))?.aged.items).toBe(3);
  });
});
