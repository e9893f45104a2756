import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { DetectorSpec } from '../../src/detectors/types.js';
import { memorySource } from '../../src/message/source.js';
import { createInspectPool, type InspectPool, type PoolTrouble } from '../../src/pipeline/pool.js';
import { ROW } from '../../src/pipeline/thread-set.js';
import { START_AGAIN } from '../../src/pipeline/thread-starts.js';
import type { Inspection } from '../../src/pipeline/types.js';
import { until } from '../support/until.js';
import { CLEAN, inputFor, optionsOf } from './support.js';

const fixture = (name: string): URL => pathToFileURL(path.join(import.meta.dirname, 'fixtures', name));

// Nothing is tried again until the test says that the pause is over.
beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());

const pools: InspectPool[] = [];
afterEach(async () => {
  await Promise.all(pools.splice(0).map(async (pool) => await pool.close()));
});

/** A number that the threads share. */
class Shared {
  readonly memory = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));

  get value(): number {
    return Atomics.load(this.memory, 0);
  }

  set value(value: number) {
    Atomics.store(this.memory, 0, value);
  }
}

interface Pool {
  readonly pool: InspectPool;
  readonly troubles: readonly PoolTrouble[];
  /** Starts of threads. */
  readonly tried: Shared;
  /** Those that came to a good end. */
  readonly started: Shared;
  /** 1: no thread can be started. */
  readonly broken: Shared;
  /** Threads that the next messages end. */
  readonly losses: Shared;
}

async function start(threads: number): Promise<Pool> {
  const troubles: PoolTrouble[] = [];
  const [tried, started, broken, losses] = [new Shared(), new Shared(), new Shared(), new Shared()];
  const counted: DetectorSpec = {
    name: 'counted',
    settings: {},
    data: { tried: tried.memory, started: started.memory, broken: broken.memory, losses: losses.memory },
    baseDirectory: '.',
    timeout: 1_000,
    onError: 'defer',
    statuses: [],
  };
  const pool = createInspectPool({
    ...(await optionsOf()),
    specs: [counted],
    threads,
    workerFile: fixture('counted-worker.js'),
    onTrouble: (trouble) => troubles.push(trouble),
  });
  pools.push(pool);
  await pool.ready();
  return { pool, troubles, tried, started, broken, losses };
}

async function send(pool: InspectPool): Promise<Inspection> {
  return await pool.inspect(inputFor(['anna@example.org']), memorySource([CLEAN]));
}

const failuresToStart = (troubles: readonly PoolTrouble[]): number =>
  troubles.filter(({ kind }) => kind === 'start').length;
const detailsOf = ({ findings }: Inspection): (string | undefined)[] => findings.map(({ detail }) => detail);

/** As many messages as the threads take in a row, and one more. */
async function oneMoreThan(threads: number, pool: InspectPool): Promise<void> {
  const sent = Array.from({ length: ROW.tasks * threads + 1 }, async () => await send(pool));
  expect(pool.counters).toMatchObject({ running: ROW.tasks * threads, queued: 1 });
  for (const inspection of await Promise.all(sent)) expect(detailsOf(inspection)).toEqual([]);
}

/** Ends a thread, in whose place none can be started, by a message; the message has a second chance. */
async function lose({ pool, broken, losses }: Pool): Promise<Inspection> {
  broken.value = 1;
  losses.value = 1;
  return await send(pool);
}

describe('a thread that cannot be started in place of one that was lost', () => {
  it('is told of, and is not counted upon; one is tried at a time until one starts', async () => {
    const made = await start(4);
    const { pool, troubles, tried, started, broken } = made;
    const failed = async (count: number): Promise<unknown> =>
      await until(`failed start ${count}`, () => Promise.resolve(failuresToStart(troubles) === count));
    await lose(made);
    await failed(1);
    expect([tried.value, pool.counters.restarts]).toEqual([5, 1]);
    await oneMoreThan(3, pool);
    await lose(made);
    expect([tried.value, pool.counters.restarts]).toEqual([5, 2]);
    await oneMoreThan(2, pool);

    vi.advanceTimersByTime(START_AGAIN + 1);
    await failed(2);
    expect(tried.value).toBe(6);
    await oneMoreThan(2, pool);

    broken.value = 0;
    vi.advanceTimersByTime(START_AGAIN + 1);
    await until('all four threads', () => Promise.resolve(started.value === 6));
    await oneMoreThan(4, pool);
    expect([tried.value, failuresToStart(troubles)]).toEqual([8, 2]);
  });

  it('is not tried for each message where no other is left: they are deferred', async () => {
    const made = await start(1);
    const { pool, troubles, tried, broken } = made;
    await lose(made);
    expect(troubles.map(({ kind }) => kind)).toEqual(['crash', 'start']);
    for (let i = 0; i < 20; i++) {
      const inspection = await send(pool);
      expect(inspection.copies[0]?.decision).toMatchObject({ action: 'defer', reply: { code: 451 } });
      expect(detailsOf(inspection)).toEqual(['no thread can be started to scan the message']);
    }
    expect([tried.value, troubles.length]).toEqual([2, 2]);

    broken.value = 0;
    vi.advanceTimersByTime(START_AGAIN + 1);
    expect(detailsOf(await send(pool))).toEqual([]);
  });
});

describe('a pool whose first threads cannot be started', () => {
  it('says so to whoever waits for it, and to nobody else', async () => {
    const troubles: PoolTrouble[] = [];
    const workerFile = fixture('greedy-worker.js');
    const onTrouble = (trouble: PoolTrouble): void => void troubles.push(trouble);
    const pool = createInspectPool({ ...(await optionsOf()), threads: 2, heap: 16, workerFile, onTrouble });
    pools.push(pool);
    await expect(pool.ready()).rejects.toThrow('memory');
    await pool.close();
    expect(troubles).toEqual([]);
  });
});
