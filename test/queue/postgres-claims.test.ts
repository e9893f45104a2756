import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { runMigrations } from 'bullmq';
import type { PoolClient } from 'pg';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { openQueue } from '../../src/queue/open.js';
import { easeClaims } from '../../src/queue/postgres-claims.js';
import { openPool } from '../../src/store/database.js';
import { silentLog } from '../../src/telemetry/log.js';
import { startTestStore, type TestStore } from '../support/postgres.js';

/** Not the one of the gateway, which is there already. */
const SCHEMA = 'jobs';
const JOBS = 2000;
const WAIT = { timeout: 60_000, interval: 20 };

let test: TestStore;
beforeEach(async () => {
  test = await startTestStore();
});
afterEach(async () => {
  await test.stop();
});

async function claimOf(client: PoolClient): Promise<string> {
  const { rows } = await client.query<{ text: string }>(
    `SELECT pg_get_functiondef('${SCHEMA}.move_to_active'::regproc) AS text`,
  );
  return rows[0]?.text ?? '';
}

async function connected(work: (client: PoolClient) => Promise<void>): Promise<void> {
  const pool = openPool({ ...test.store.connection, max: 1 }, silentLog());
  const client = await pool.connect();
  try {
    await work(client);
  } finally {
    client.release(true);
    await pool.end();
  }
}

it('passes by a job that is due and that somebody else has, instead of waiting for it', async () => {
  const backend = await openQueue({ queue: 'embedded' }, test.store, silentLog());
  const queue = backend.queue<string>('due');
  const names = ['first', 'second', 'third'];
  // Due by the time that the worker looks.
  await queue.addAll(names.map((name) => ({ id: name, data: name, delay: 1 })));
  await connected(async (client) => {
    await client.query('BEGIN');
    const held = await client.query<{ data: string }>(
      `SELECT data #>> '{}' AS data FROM bullmq.job WHERE queue = 'due' ORDER BY process_at_ms, id LIMIT 1 FOR UPDATE`,
    );
    const first = String(JSON.parse(held.rows[0]?.data ?? ''));
    expect(names).toContain(first);
    const seen: string[] = [];
    queue.process(4, (name) => {
      seen.push(name);
      return Promise.resolve('done');
    });
    await vi.waitFor(() => expect(seen).toHaveLength(2), WAIT);
    expect(seen).not.toContain(first);
    await client.query('ROLLBACK');
    await vi.waitFor(() => expect([...seen].sort()).toEqual(names), WAIT);
  });
  await backend.close(5000);
});

it('works off thousands of jobs that become due at once, in two processes', async () => {
  const backends = [
    await openQueue({ queue: 'embedded' }, test.store, silentLog()),
    await openQueue({ queue: 'embedded' }, test.store, silentLog()),
  ] as const;
  const outages: string[] = [];
  const runs = new Map<number, number>();
  const due = Date.now() + 500;
  for (const backend of backends) {
    backend.onUnavailable((reason) => outages.push(reason));
    backend.queue<number>('due').process(16, (n) => {
      const run = (runs.get(n) ?? 0) + 1;
      runs.set(n, run);
      // Put off once, in another order.
      return Promise.resolve(run === 1 ? { again: due + 3000 + ((n * 7919) % 1000) } : 'done');
    });
  }
  const jobs = Array.from({ length: JOBS }, (_, n) => ({ id: `job-${n}`, data: n, delay: due - Date.now() }));
  await backends[0].queue<number>('due').addAll(jobs);
  await vi.waitFor(() => expect([...runs.values()].filter((run) => run >= 2)).toHaveLength(JOBS), WAIT);
  await vi.waitFor(
    async () => expect(await backends[0].queue('due').counts()).toEqual({ waiting: 0, active: 0, delayed: 0 }),
    WAIT,
  );
  for (const backend of backends) await backend.close(5000);
  const log = await readFile(path.join(test.store.embedded?.folder ?? '', 'server.log'), 'utf8');
  expect(log).not.toContain('deadlock detected');
  expect(outages).toEqual([]);
}, 150_000);

it('finds what it changes in the function of this BullMQ, and changes it once', async () => {
  await connected(async (client) => {
    await runMigrations(client, SCHEMA);
    expect(await claimOf(client)).not.toContain('due AS MATERIALIZED');
    await easeClaims(client, SCHEMA, silentLog());
    const eased = await claimOf(client);
    expect(eased).toContain('due AS MATERIALIZED');
    // The rest is BullMQ's.
    expect(eased).toMatch(/SET search_path TO '?jobs/);
    const log = silentLog();
    const warn = vi.spyOn(log, 'warn');
    await easeClaims(client, SCHEMA, log);
    expect(await claimOf(client)).toBe(eased);
    expect(warn).not.toHaveBeenCalled();
  });
});

it('leaves functions alone that belong to another user, and says what that means', async () => {
  await connected(async (client) => {
    await runMigrations(client, SCHEMA);
    await client.query(`CREATE ROLE guest; GRANT USAGE ON SCHEMA ${SCHEMA} TO guest; SET ROLE guest`);
    const before = await claimOf(client);
    const log = silentLog();
    const warn = vi.spyOn(log, 'warn');
    await easeClaims(client, SCHEMA, log);
    expect(warn).toHaveBeenCalledExactlyOnceWith({ schema: SCHEMA }, expect.stringContaining('another database user'));
    expect(await claimOf(client)).toBe(before);
  });
});
