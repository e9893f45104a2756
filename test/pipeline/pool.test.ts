import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { signal } from '../../src/gateway/parts.js';
import { memorySource } from '../../src/message/source.js';
import { createInspectPool, type InspectPool, type PoolOptions, type PoolTrouble } from '../../src/pipeline/pool.js';
import { ROW } from '../../src/pipeline/thread-set.js';
import type { Inspection } from '../../src/pipeline/types.js';
import { makeMail } from '../support/mail.js';
import { until } from '../support/until.js';
import { bundleOf, CLEAN, inputFor, optionsOf } from './support.js';

const root = path.join(import.meta.dirname, '..', '..');
const worker = path.join(root, 'bundle', 'pipeline', 'worker.js');
const fixtures = path.join(import.meta.dirname, 'fixtures');
const ANNA = 'anna@example.org';
const TOLERANT = 'rules: [ { id: one, on: { scan-error: { action: deliver, tag: "[Unscanned]" } } } ]';

beforeAll(() => {
  if (!existsSync(worker)) execFileSync(process.execPath, [path.join(root, 'scripts', 'build.mjs')], { cwd: root });
}, 300_000);

const pools: InspectPool[] = [];
afterEach(async () => {
  await Promise.all(pools.splice(0).map(async (pool) => await pool.close()));
});

async function start(rules: string, given: Partial<PoolOptions> = {}): Promise<InspectPool> {
  const options = await optionsOf({
    rules,
    folder: fixtures,
    detectors: [
      { name: 'content', settings: {} },
      { name: 'trouble', settings: { module: './trouble.js' } },
    ],
    deadline: given.deadline ?? 10_000,
  });
  const pool = createInspectPool({ ...options, threads: 1, workerFile: pathToFileURL(worker), ...given });
  pools.push(pool);
  await pool.ready();
  return pool;
}

async function send(pool: InspectPool, subject: string): Promise<Inspection> {
  return await pool.inspect(inputFor([ANNA]), memorySource([makeMail('text', [], subject)]));
}

/** As many small messages as follow one another in one thread. */
function aRow<T>(one: () => T): readonly T[] {
  return Array.from({ length: ROW.tasks }, one);
}

const actionOf = (inspection: Inspection): string | undefined => inspection.copies[0]?.decision.action;
const failureOf = (inspection: Inspection): string | undefined =>
  inspection.findings.find(({ module }) => module === 'message')?.status;

describe('the thread pool', () => {
  it('inspects messages in memory and in files alike', async () => {
    const pool = await start('rules: [ { id: one, match: { when: { subject: Hello } } } ]');
    const folder = await mkdtemp(path.join(os.tmpdir(), 'gatepost-pool-'));
    try {
      const file = path.join(folder, 'message');
      await writeFile(file, CLEAN);
      const fromMemory = await pool.inspect(inputFor([ANNA]), memorySource([CLEAN]));
      const fromFile = await pool.inspect(inputFor([ANNA]), { kind: 'file', path: file, size: CLEAN.length });
      for (const { copies, modules } of [fromMemory, fromFile]) {
        expect(copies[0]?.decision).toMatchObject({ rule: 'one', action: 'deliver' });
        expect(modules.map(({ module, status }) => `${module}=${status}`)).toEqual(['content=clean', 'trouble=clean']);
      }
      expect(pool.counters).toEqual({ queued: 0, running: 0, restarts: 0 });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('hands over recipients that share a decision as such, and edits without what lies beside them', async () => {
    const rules = 'rules: [ { id: one, on: { content: [ { id: all, when: { subject: "*" }, tag: "[T]" } ] } } ]';
    const pool = await start(rules);
    const { copies, recipients } = await pool.inspect(inputFor([ANNA, 'b@example.org']), memorySource([CLEAN]));
    expect(copies).toHaveLength(1);
    expect(recipients[0]?.decision).toBe(copies[0]?.decision);
    expect(recipients[1]?.decision).toBe(copies[0]?.decision);
    for (const { insert } of copies[0]?.edits ?? []) expect(insert.buffer.byteLength).toBe(insert.byteLength);
    expect(Buffer.concat((copies[0]?.edits ?? []).map(({ insert }) => insert)).toString()).toContain('[T]');
  });

  it('ends a thread that hangs, lets the rule decide, and goes on', async () => {
    const troubles: PoolTrouble[] = [];
    const pool = await start(TOLERANT, { deadline: 300, onTrouble: (trouble) => troubles.push(trouble) });
    const [hung, next] = await Promise.all([send(pool, 'hang'), send(pool, 'fine')]);
    expect(failureOf(hung)).toBe('timeout');
    expect(actionOf(hung)).toBe('deliver');
    expect(Buffer.concat((hung.copies[0]?.edits ?? []).map(({ insert }) => insert)).toString()).toContain(
      '[Unscanned]',
    );
    expect(hung.facts.subject).toBe('hang');
    expect(failureOf(next)).toBeUndefined();
    expect(pool.counters).toEqual({ queued: 0, running: 0, restarts: 1 });
    expect(troubles.map(({ kind }) => kind)).toEqual(['deadline']);
  });

  it('does not let a hanging message disturb those in other threads', async () => {
    const pool = await start(TOLERANT, { deadline: 3_000, threads: 2 });
    const hanging = send(pool, 'hang');
    const others = await Promise.all(Array.from({ length: 20 }, async () => await send(pool, 'fine')));
    expect(others.map(failureOf)).toEqual(Array.from({ length: 20 }, () => undefined));
    expect(failureOf(await hanging)).toBe('timeout');
    expect(pool.counters).toEqual({ queued: 0, running: 0, restarts: 1 });
  });

  it('is ready with one thread when the others are to wait', async () => {
    const listening = signal();
    const pool = await start(TOLERANT, { deadline: 2_000, threads: 2, rest: listening.given });
    const hanging = send(pool, 'hang');
    // One more than a thread takes in a row: a second thread would have places for all.
    const others = aRow(() => send(pool, 'fine'));
    await expect.poll(() => pool.counters).toMatchObject({ running: others.length, queued: 1 });
    listening.give();
    for (const other of others) expect(failureOf(await other)).toBeUndefined();
    expect(failureOf(await hanging)).toBe('timeout');
  });

  it('defers a hanging message where the rule has no scan-error', async () => {
    const pool = await start('rules: [ { id: one } ]', { deadline: 300 });
    const hung = await send(pool, 'hang');
    expect(hung.copies[0]?.decision).toMatchObject({
      rule: 'one',
      action: 'defer',
      reply: { code: 451, enhanced: '4.7.1' },
    });
  });

  it('survives a message that takes all memory', async () => {
    const pool = await start(TOLERANT, { heap: 64, deadline: 30_000 });
    const greedy = await send(pool, 'memory');
    expect(failureOf(greedy)).toBe('error');
    expect(actionOf(greedy)).toBe('deliver');
    expect(failureOf(await send(pool, 'fine'))).toBeUndefined();
    expect(pool.counters.restarts).toBe(1);
  });

  it('survives a message that ends its thread', async () => {
    const pool = await start(TOLERANT);
    const ended = await send(pool, 'exit');
    expect(failureOf(ended)).toBe('error');
    expect(failureOf(await send(pool, 'fine'))).toBeUndefined();
    // It had a second chance.
    expect(pool.counters.restarts).toBe(2);
  });

  it('inspects again what was in a thread that an earlier message had broken', async () => {
    const pool = await start('rules: [ { id: one } ]');
    expect(actionOf(await send(pool, 'leave a bomb'))).toBe('deliver');
    const victim = await send(pool, 'slow');
    expect(failureOf(victim)).toBeUndefined();
    expect(actionOf(victim)).toBe('deliver');
    expect(pool.counters.restarts).toBe(1);
  });

  it('keeps the thread of a module that throws or is late', async () => {
    const pool = await start(TOLERANT, { deadline: 3_000 });
    const thrown = await send(pool, 'throw');
    expect(thrown.modules.find(({ module }) => module === 'trouble')).toMatchObject({
      status: 'error',
      cause: 'broken inside',
    });
    const late = await send(pool, 'wait');
    expect(late.modules.find(({ module }) => module === 'trouble')).toMatchObject({ status: 'timeout' });
    expect(pool.counters.restarts).toBe(0);
  });

  it('defers everyone when even the header cannot be read, without looking at the message', async () => {
    const stuck = pathToFileURL(path.join(fixtures, 'stuck-worker.js'));
    const pool = await start(TOLERANT, { deadline: 50, workerFile: stuck });
    const result = await send(pool, 'secret subject');
    expect(result.copies).toEqual([expect.objectContaining({ recipients: [ANNA], edits: [] })]);
    expect(result.copies[0]?.decision).toMatchObject({ action: 'defer', reply: { code: 451, enhanced: '4.7.1' } });
    expect(failureOf(result)).toBe('timeout');
    expect(result.facts.subject).toBe('');
    expect(pool.counters.restarts).toBe(2);
  });
});

describe('small messages in a row in one thread', () => {
  it.each(['hang', 'exit', 'memory'])('are done elsewhere when one ends it by "%s"', async (trouble) => {
    const pool = await start(TOLERANT, { threads: 2, deadline: 3_000, heap: 64 });
    const bad = send(pool, trouble);
    const good = aRow(() => send(pool, 'fine'));
    for (const one of good) expect(failureOf(await one)).toBeUndefined();
    expect(failureOf(await bad)).toBe(trouble === 'hang' ? 'timeout' : 'error');
  });

  it('are all done, or over their time, when several hang in one thread', async () => {
    const pool = await start(TOLERANT, { threads: 2, deadline: 1_000 });
    const bad = [send(pool, 'hang'), send(pool, 'hang')];
    const good = [send(pool, 'fine'), send(pool, 'fine')];
    for (const one of good) expect(failureOf(await one)).toBeUndefined();
    for (const one of bad) expect(failureOf(await one)).toBe('timeout');
  });

  it('do not keep a large one waiting', async () => {
    const pool = await start(TOLERANT, { threads: 2 });
    let over = false;
    const load = Promise.all(
      aRow(async () => {
        while (!over) await send(pool, 'fine');
      }),
    );
    try {
      for (let i = 0; i < 5; i++) {
        const large = memorySource([makeMail('a line of text\r\n'.repeat(10_000))]);
        expect(failureOf(await pool.inspect(inputFor([ANNA]), large))).toBeUndefined();
      }
    } finally {
      over = true;
      await load;
    }
  });
});

describe('waiting for a thread', () => {
  it('is bounded in bytes and in time; what is beyond is deferred', async () => {
    const pool = await start(TOLERANT, { maxWaitingBytes: 1000, maxWait: 100 });
    const big = memorySource([makeMail('x'.repeat(900))]);
    const running = aRow(() => send(pool, 'slow'));
    const waiting = pool.inspect(inputFor([ANNA]), big);
    const refused = await pool.inspect(inputFor([ANNA]), big);
    expect(pool.counters).toMatchObject({ queued: 1, running: running.length });
    expect(failureOf(refused)).toBe('limit');
    expect(actionOf(refused)).toBe('defer');
    expect(failureOf(await waiting)).toBe('timeout');
    for (const one of running) expect(failureOf(await one)).toBeUndefined();
  });

  it('ends with the pool: what runs is finished, what waits is deferred', async () => {
    const pool = await start(TOLERANT);
    const running = aRow(() => send(pool, 'slow'));
    const waiting = send(pool, 'fine');
    await pool.close();
    for (const one of running) {
      expect(failureOf(await one)).toBeUndefined();
      expect(actionOf(await one)).toBe('deliver');
    }
    expect(actionOf(await waiting)).toBe('defer');
    expect(actionOf(await send(pool, 'fine'))).toBe('defer');
  });
});

describe('changing the rules', () => {
  it('lets running messages finish with the old ones, and takes the new ones for the next', async () => {
    const pool = await start('rules: [ { id: old } ]');
    const running = send(pool, 'slow');
    await pool.reload(await bundleOf('rules: [ { id: new } ]'));
    expect((await running).copies[0]?.decision.rule).toBe('old');
    const next = await send(pool, 'fine');
    expect(next.copies[0]?.decision.rule).toBe('new');
    expect(next.modules.map(({ module }) => module)).toEqual(['content', 'trouble']);
    expect(pool.counters).toEqual({ queued: 0, running: 0, restarts: 0 });
  });

  it('a message that hangs in a thread that is being replaced is still decided, by the old rules', async () => {
    const pool = await start('rules: [ { id: old, on: { scan-error: { action: deliver } } } ]', { deadline: 500 });
    let begun = false;
    const running = pool.inspect(inputFor([ANNA]), memorySource([makeMail('text', [], 'hang')]), () => (begun = true));
    await until('the message to be in its thread', () => Promise.resolve(begun));
    await pool.reload(await bundleOf('rules: [ { id: new } ]'));
    const hung = await running;
    expect([failureOf(hung), hung.copies[0]?.decision.rule]).toEqual(['timeout', 'old']);
    expect(pool.counters.restarts).toBe(1);
  });

  it('says in one moment what a message is judged by and what is in force', async () => {
    const pool = await start('rules: [ { id: old } ]');
    let inForce = 'old';
    const judged: [string, string | undefined][] = [];
    const one = async (): Promise<void> => {
      let at = 'turned away';
      const source = memorySource([makeMail('text')]);
      const { copies } = await pool.inspect(inputFor([ANNA]), source, () => (at = inForce));
      judged.push([at, copies[0]?.decision.rule]);
    };
    const change = bundleOf('rules: [ { id: new } ]').then(
      async (bundle) => await pool.reload(bundle, undefined, { inForce: () => (inForce = 'new') }),
    );
    while (inForce === 'old') await one();
    await Promise.all([change, one(), one()]);
    expect(judged.filter(([at, rule]) => at !== rule)).toEqual([]);
    expect(new Set(judged.map(([at]) => at))).toEqual(new Set(['old', 'new']));
  });

  it('keeps the threads where only rules change, also one that is started anew', async () => {
    const pool = await start('rules: [ { id: set-0 } ]', { threads: 1, deadline: 500 });
    const hung = send(pool, 'hang');
    for (let i = 1; i <= 20; i++) {
      await pool.reload(await bundleOf(`rules: [ { id: set-${i} } ]`));
      expect((await send(pool, 'fine')).copies[0]?.decision.rule).toBe(`set-${i}`);
    }
    expect(failureOf(await hung)).toBe('timeout');
    expect(pool.counters).toEqual({ queued: 0, running: 0, restarts: 1 });
  });

  it('goes from one set to the next in the order in which they were given', async () => {
    const pool = await start('rules: [ { id: set-0 } ]');
    const order: number[] = [];
    const changes = [1, 2, 3].map(async (n) => {
      const bundle = await bundleOf(`rules: [ { id: set-${n} } ]`);
      return { n, bundle };
    });
    const sets = await Promise.all(changes);
    await Promise.all(sets.map(({ n, bundle }) => pool.reload(bundle, undefined, { inForce: () => order.push(n) })));
    expect(order).toEqual([1, 2, 3]);
    expect((await send(pool, 'fine')).copies[0]?.decision.rule).toBe('set-3');
  });

  it('stays with the old ones when the new rules cannot be used', async () => {
    const pool = await start('rules: [ { id: old } ]');
    const good = await bundleOf('rules: [ { id: new } ]');
    const broken = { ...good, banners: { module: 'no-such-module', data: {} } };
    await expect(pool.reload(broken)).rejects.toThrow();
    expect((await send(pool, 'fine')).copies[0]?.decision.rule).toBe('old');
    await pool.reload(good);
    expect((await send(pool, 'fine')).copies[0]?.decision.rule).toBe('new');
    expect(pool.counters.restarts).toBe(0);
  });

  it('stays with the old ones when the new set cannot be started', async () => {
    const pool = await start('rules: [ { id: old } ]');
    const { specs } = await optionsOf();
    const broken = specs.map((spec) => ({ ...spec, name: 'nowhere' }));
    await expect(pool.reload(await bundleOf(), broken)).rejects.toThrow('there is no detector module nowhere');
    expect((await send(pool, 'fine')).copies[0]?.decision.rule).toBe('old');
  });
});

describe('starting', () => {
  it('says why a module cannot be made in the threads', async () => {
    const options = await optionsOf();
    const specs = options.specs.map((spec) => ({ ...spec, file: path.join(fixtures, 'gone.js') }));
    const pool = createInspectPool({ ...options, specs, threads: 2, workerFile: pathToFileURL(worker) });
    pools.push(pool);
    await expect(pool.ready()).rejects.toThrow('there is no such file');
    expect(actionOf(await send(pool, 'fine'))).toBe('defer');
  });
});
