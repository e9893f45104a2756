import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openQueue } from '../../src/queue/open.js';
import type { QueueBackend } from '../../src/queue/types.js';
import { silentLog } from '../../src/telemetry/log.js';
import { startTestStore, type TestStore } from '../support/postgres.js';
import { failures, noStore, quick, refuseUnhandled, working } from '../support/queue.js';
import { redisMissing, startRedis, type TestRedis } from '../support/redis.js';
import { until } from '../support/until.js';

refuseUnhandled();

describe.skipIf(redisMissing)('Redis that goes away', () => {
  let redis: TestRedis;
  let backend: QueueBackend | undefined;
  beforeEach(async () => {
    redis = await startRedis();
  });
  afterEach(async () => {
    await backend?.close(500);
    backend = undefined;
    await redis.dispose();
  });

  it('fails adds fast, and comes back empty: listeners are told, and jobs that are added again run', async () => {
    backend = await openQueue({ queue: redis.url }, noStore, silentLog(), quick);
    const { queue, seen } = working(backend, 2);
    const events: string[] = [];
    backend.onAvailable(() => events.push('available'));
    backend.onUnavailable(() => events.push('unavailable'));
    await queue.add('first', 1);
    await queue.add('delayed', 2, 3_600_000);
    await until('the first job', () => Promise.resolve(seen.includes(1)));

    await redis.stop();
    expect(await failures(backend, 3)).toBeLessThan(6000);
    expect(backend.available).toBe(false);
    expect(events).toEqual(['unavailable']);

    await redis.start();
    await until('word of its return', () => Promise.resolve(events.length === 2));
    expect(events).toEqual(['unavailable', 'available']);
    expect(await queue.counts()).toEqual({ waiting: 0, active: 0, delayed: 0 });
    await queue.add('delayed', 2);
    await until('the job that was added again', () => Promise.resolve(seen.includes(2)));
  });

  it('notices each of several restarts', async () => {
    backend = await openQueue({ queue: redis.url }, noStore, silentLog(), quick);
    let times = 0;
    backend.onAvailable(() => (times += 1));
    const { seen } = working(backend, 2);
    for (let i = 1; i <= 3; i++) {
      await redis.wipeRestart();
      await until('its return', () => Promise.resolve(times >= i));
      const current = backend;
      await until(
        'an add',
        async () =>
          await current
            .queue('work')
            .add(`job-${i}`, i)
            .then(
              () => true,
              () => false,
            ),
      );
      await until('its run', () => Promise.resolve(seen.includes(i)));
    }
  });

  it('notices that it was emptied while the connection held', async () => {
    backend = await openQueue({ queue: redis.url }, noStore, silentLog(), quick);
    let times = 0;
    backend.onAvailable(() => (times += 1));
    await redis.command('FLUSHALL');
    await until('word of it', () => Promise.resolve(times === 1));
  });

  it('keeps a job that was running while it went away, when it comes back with its data or without', async () => {
    backend = await openQueue({ queue: redis.url }, noStore, silentLog(), quick);
    const queue = backend.queue<number>('work');
    let release: (() => void) | undefined;
    let runs = 0;
    queue.process(1, async () => {
      runs += 1;
      if (runs === 1)
        await new Promise<void>((resolve) => {
          release = resolve;
        });
      return 'done';
    });
    await queue.add('job', 1);
    await until('its start', () => Promise.resolve(release !== undefined));
    await redis.wipeRestart();
    release?.();
    const current = backend;
    await until('its return', () => Promise.resolve(current.available));
    await until('a further run', async () => {
      await queue.add('next', 2).catch(() => undefined);
      return runs >= 2;
    });
  });

  it('does not stop the start, and works when it comes', async () => {
    await redis.stop();
    backend = await openQueue({ queue: redis.url }, noStore, silentLog(), quick);
    expect(backend.available).toBe(false);
    let available = 0;
    backend.onAvailable(() => (available += 1));
    const { queue, seen } = working(backend);
    expect(await failures(backend, 2)).toBeLessThan(6000);
    await redis.start();
    await until('its coming', () => Promise.resolve(available === 1));
    await queue.add('job', 5);
    await until('the job', () => Promise.resolve(seen.includes(5)));
  });

  it('can be closed while it is away', async () => {
    backend = await openQueue({ queue: redis.url }, noStore, silentLog(), quick);
    backend.queue('work').process(1, () => Promise.resolve('done'));
    await backend.queue('work').add('job', 1);
    await redis.stop();
    const start = Date.now();
    await backend.close(500);
    expect(Date.now() - start).toBeLessThan(8000);
  });

  it('can be closed while it is away: a job under way comes to its end, and nothing else is waited for', async () => {
    backend = await openQueue({ queue: redis.url }, noStore, silentLog(), quick);
    const current = backend;
    let release: (() => void) | undefined;
    let ended = false;
    current.queue('idle').process(1, () => Promise.resolve('done'));
    current.queue('work').process(1, async () => {
      await new Promise<void>((resolve) => (release = resolve));
      ended = true;
      return 'done';
    });
    await current.queue('work').add('job', 1);
    await until('its start', () => Promise.resolve(release !== undefined));
    await redis.stop();
    await until('its absence', () => Promise.resolve(!current.available));
    // Longer than the test may take.
    const closing = current.close(3_600_000).then(() => ended);
    release?.();
    expect(await closing).toBe(true);
  });

  it('fails adds within about a second when it takes connections and says nothing', async () => {
    backend = await openQueue({ queue: redis.url }, noStore, silentLog(), { ...quick, interval: 60_000 });
    await backend.queue('work').add('job', 1);
    redis.pause();
    const start = Date.now();
    await expect(backend.queue('work').add('other', 1)).rejects.toThrow('job queue');
    expect(Date.now() - start).toBeLessThan(6000);
    let available = 0;
    backend.onAvailable(() => (available += 1));
    redis.resume();
    await until('its return', () => Promise.resolve(available === 1));
  });
});

describe('PostgreSQL that goes away', () => {
  let test: TestStore;
  beforeEach(async () => {
    test = await startTestStore();
  });
  afterEach(async () => {
    await test.stop();
  });

  it('fails adds fast, comes back with its jobs, and workers go on', async () => {
    const backend = await openQueue({ queue: 'embedded' }, test.store, silentLog(), quick);
    const events: string[] = [];
    backend.onAvailable(() => events.push('available'));
    backend.onUnavailable(() => events.push('unavailable'));
    const { queue, seen } = working(backend, 2);
    await queue.add('first', 1);
    await queue.add('delayed', 2, 3_600_000);
    await until('the first job', () => Promise.resolve(seen.includes(1)));

    test.killServer();
    await until('the loss', async () => {
      await queue.counts().catch(() => undefined);
      return !backend.available || events.length > 0;
    });
    await until('its return', () => Promise.resolve(events.at(-1) === 'available'));
    expect(events[0]).toBe('unavailable');
    await until(
      'an add',
      async () =>
        await queue.add('after', 3).then(
          () => true,
          () => false,
        ),
    );
    await until('the job after it', () => Promise.resolve(seen.includes(3)));
    await until(
      'a promotion',
      async () =>
        await queue.promote('delayed').then(
          () => true,
          () => false,
        ),
    );
    await until('the delayed job', () => Promise.resolve(seen.includes(2)));
    await backend.close(1000);
  });

  it('can be closed after the store, too', async () => {
    const backend = await openQueue({ queue: 'embedded' }, test.store, silentLog(), quick);
    backend.queue('work').process(1, () => Promise.resolve('done'));
    await backend.queue('work').add('job', 1);
    await test.store.close();
    const start = Date.now();
    await backend.close(500);
    expect(Date.now() - start).toBeLessThan(8000);
  });

  it('does not stop the start when it is down', async () => {
    const { connection, name } = test.store;
    await test.store.close();
    const backend = await openQueue({ queue: 'embedded' }, { connection, name }, silentLog(), quick);
    expect(backend.available).toBe(false);
    expect(await failures(backend, 1)).toBeLessThan(6000);
    await backend.close(100);
  });
});
