import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { memorySource } from '../../src/message/source.js';
import { createInspectPool, type InspectPool, type PoolOptions, type PoolTrouble } from '../../src/pipeline/pool.js';
import type { Inspection } from '../../src/pipeline/types.js';
import { makeMail } from '../support/mail.js';
import { until } from '../support/until.js';
import { inputFor, optionsOf } from './support.js';

const root = path.join(import.meta.dirname, '..', '..');
const worker = path.join(root, 'bundle', 'pipeline', 'worker.js');
const fixtures = path.join(import.meta.dirname, 'fixtures');
const TOLERANT = 'rules: [ { id: one, on: { scan-error: { action: deliver, tag: "[Unscanned]" } } } ]';

beforeAll(() => {
  if (!existsSync(worker)) execFileSync(process.execPath, [path.join(root, 'scripts', 'build.mjs')], { cwd: root });
}, 300_000);

const pools: InspectPool[] = [];
const troubles: PoolTrouble[] = [];
afterEach(async () => {
  await Promise.all(pools.splice(0).map(async (pool) => await pool.close()));
  troubles.length = 0;
});

/** A pool whose only module waits for an engine, so that a thread has several messages at a time. */
async function start(given: Partial<PoolOptions> = {}): Promise<InspectPool> {
  const options = await optionsOf({
    rules: TOLERANT,
    folder: fixtures,
    detectors: [{ name: 'engine', settings: { module: './engine.js' } }],
    deadline: given.deadline ?? 30_000,
  });
  const pool = createInspectPool({
    ...options,
    threads: 1,
    workerFile: pathToFileURL(worker),
    onTrouble: (trouble) => troubles.push(trouble),
    ...given,
  });
  pools.push(pool);
  await pool.ready();
  return pool;
}

async function send(pool: InspectPool, subject: string, sender = 'a@partner.example'): Promise<Inspection> {
  const input = inputFor(['anna@example.org']);
  const given = { ...input, envelope: { ...input.envelope, sender } };
  return await pool.inspect(given, memorySource([makeMail('text', [], subject)]));
}

async function sendMany(pool: InspectPool, count: number, subject: string): Promise<(string | undefined)[]> {
  return await Promise.all(Array.from({ length: count }, async () => failureOf(await send(pool, subject))));
}

const failureOf = (inspection: Inspection): string | undefined =>
  inspection.findings.find(({ status }) => ['error', 'timeout', 'limit'].includes(status))?.status;
const none = (count: number): undefined[] => Array.from({ length: count }, () => undefined);

describe('a thread with several messages', () => {
  it('has them at the same time, each with its own outcome', async () => {
    const pool = await start();
    expect(await sendMany(pool, 12, 'together 12')).toEqual(none(12));
    const mixed = await Promise.all(['wait 20', 'wait 1', 'fine'].map(async (subject) => await send(pool, subject)));
    expect(mixed.map(({ facts }) => facts.subject)).toEqual(['wait 20', 'wait 1', 'fine']);
  });

  it('loses none of them to one that hangs at once: they are done elsewhere, before its deadline', async () => {
    const pool = await start({ threads: 2, deadline: 3_000 });
    const waiting = sendMany(pool, 8, 'wait 400');
    const hung = send(pool, 'hang');
    const late = sendMany(pool, 8, 'wait 1');
    expect(await waiting).toEqual(none(8));
    expect(await late).toEqual(none(8));
    expect(pool.counters).toMatchObject({ running: 1, restarts: 0 });
    expect(failureOf(await hung)).toBe('timeout');
    expect(pool.counters).toEqual({ queued: 0, running: 0, restarts: 1 });
    expect(troubles.map(({ kind }) => kind)).toEqual(['deadline']);
  });

  it('loses none of them to one that hangs after a wait of its own', async () => {
    const pool = await start({ threads: 2, deadline: 4_000 });
    const waiting = sendMany(pool, 8, 'wait 300');
    const hung = send(pool, 'hang-later 50');
    expect(await waiting).toEqual(none(8));
    expect(failureOf(await hung)).toBe('timeout');
    expect(troubles.map(({ kind }) => kind)).toEqual(['deadline']);
    // Once when nobody knew which one hung, and once when it was alone.
    expect(pool.counters).toEqual({ queued: 0, running: 0, restarts: 2 });
  });

  it('loses none of them to one that ends the thread', async () => {
    const pool = await start();
    const waiting = sendMany(pool, 8, 'wait 300');
    const ended = send(pool, 'exit 50');
    expect(await waiting).toEqual(none(8));
    expect(failureOf(await ended)).toBe('error');
    expect(failureOf(await send(pool, 'fine'))).toBeUndefined();
  });

  it('goes on after one that is merely slow', async () => {
    const pool = await start({ threads: 1 });
    const waiting = sendMany(pool, 4, 'wait 100');
    const slow = send(pool, 'busy 1500');
    expect(await waiting).toEqual(none(4));
    expect(failureOf(await slow)).toBeUndefined();
    expect(pool.counters).toEqual({ queued: 0, running: 0, restarts: 0 });
    expect(troubles).toEqual([]);
  });

  it('bears several that hang, one after the other', async () => {
    const pool = await start({ threads: 2, deadline: 1_500 });
    const hung = Promise.all(['hang', 'hang-later 20', 'hang'].map(async (subject) => await send(pool, subject)));
    const others = sendMany(pool, 20, 'wait 50');
    expect((await hung).map(failureOf)).toEqual(['timeout', 'timeout', 'timeout']);
    expect(await others).toEqual(none(20));
    expect(await sendMany(pool, 5, 'fine')).toEqual(none(5));
  });

  it('is given up, without harm to the others, for one that never comes to its end', async () => {
    const deaf = pathToFileURL(path.join(fixtures, 'deaf-worker.js'));
    const pool = await start({ workerFile: deaf, deadline: 300 });
    const silent = send(pool, 'x', 'deaf@partner.example');
    const failed = await send(pool, 'x');
    expect(failed.findings.map(({ status }) => status)).toEqual(['error']);
    expect((await silent).findings.map(({ status }) => status)).toEqual(['timeout']);
    expect(pool.counters).toMatchObject({ queued: 0, running: 0 });
  });
});

describe('threads that are stuck', () => {
  it('are helped out by a further one while messages wait', async () => {
    const options = await optionsOf({
      rules: TOLERANT,
      folder: fixtures,
      detectors: [{ name: 'trouble', settings: { module: './trouble.js' } }],
      deadline: 6_000,
    });
    const pool = createInspectPool({ ...options, threads: 1, workerFile: pathToFileURL(worker) });
    pools.push(pool);
    await pool.ready();
    const hung = send(pool, 'hang');
    await until('the hanging message', () => Promise.resolve(pool.counters.running === 1));
    expect(await sendMany(pool, 5, 'fine')).toEqual(none(5));
    expect(pool.counters).toEqual({ queued: 0, running: 1, restarts: 0 });
    expect(failureOf(await hung)).toBe('timeout');
  });
});
