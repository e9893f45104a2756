import { readFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PROGRAM_FOLDER } from '../../src/config/load.js';
import { openQueue } from '../../src/queue/open.js';
import type { JobQueue, QueueBackend } from '../../src/queue/types.js';
import type { OpenStore } from '../../src/store/open.js';
import { silentLog } from '../../src/telemetry/log.js';
import { startTestStore, type TestStore } from '../support/postgres.js';
import { redisMissing, startRedis, type TestRedis } from '../support/redis.js';
import { until } from '../support/until.js';

const noStore: Pick<OpenStore, 'connection' | 'name'> = { name: 'unused', connection: {} };
const quick = { backoff: () => 50, interval: 200 };

let unhandled: unknown[] = [];
const note = (error: unknown): void => void unhandled.push(error);
beforeEach(() => {
  unhandled = [];
  process.on('unhandledRejection', note);
});
afterEach(() => {
  process.off('unhandledRejection', note);
  expect(unhandled).toEqual([]);
});

/** Adds until it succeeds; gives the number of failures and the longest wait for one, in ms. */
async function failures(backend: QueueBackend, count: number): Promise<number> {
  let longest = 0;
  for (let i = 0; i < count; i++) {
    const start = Date.now();
    await expect(backend.queue('work').add(`lost-${i}`, i)).rejects.toThrow('job queue');
    longest = Math.max(longest, Date.now() - start);
  }
  return longest;
}

/** A queue whose jobs are all done, so many at a time; what they bring is seen. */
function working(
  backend: QueueBackend,
  concurrency = 1,
): { readonly queue: JobQueue<number>; readonly seen: number[] } {
  const seen: number[] = [];
  const queue = backend.queue<number>('work');
  queue.process(concurrency, (data) => {
    seen.push(data);
    return Promise.resolve('done');
  });
  return { queue, seen };
}

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

describe.skipIf(redisMissing)('Redis that is not fit for it', () => {
  it('that is full is out of reach with what to do, told once, until there is room', async () => {
    const redis = await startRedis();
    const backend = await openQueue({ queue: redis.url }, noStore, silentLog(), quick);
    try {
      const told: string[] = [];
      backend.onUnavailable((reason) => told.push(reason));
      await redis.command('CONFIG SET maxmemory 1mb');
      expect(await failures(backend, 3)).toBeLessThan(6000);
      await until('it to be out of reach', () => Promise.resolve(!backend.available));
      expect(backend.trouble).toBe(
        "OOM command not allowed when used memory > 'maxmemory': Redis is full: raise its `maxmemory`",
      );
      expect(told).toEqual([backend.trouble]);
      await redis.command('CONFIG SET maxmemory 0');
      await until('its return', () => Promise.resolve(backend.available));
      expect(backend.trouble).toBeUndefined();
      await backend.queue('work').add('a', 1);
    } finally {
      await backend.close(500);
      await redis.dispose();
    }
  });

  it('a user with the rights that the docs name is enough; one without some of them is told, and asked seldom', async () => {
    const redis = await startRedis();
    const docs = await readFile(path.join(PROGRAM_FOLDER, 'docs', 'cluster.md'), 'utf8');
    const rights = /ACL SETUSER mail on >PASSWORD (.*)$/m.exec(docs)?.[1] ?? 'none';
    await redis.command(`ACL SETUSER mail on >pw ${rights}`);
    await redis.command(`ACL SETUSER less on >pw ${rights} -incr`);
    const url = (user: string): string => redis.url.replace('//', `//${user}:pw@`);
    const backend = await openQueue({ queue: url('mail') }, noStore, silentLog(), quick);
    const less = await openQueue({ queue: url('less') }, noStore, silentLog(), quick);
    const other = await openQueue({ queue: `${url('mail')}?prefix=other` }, noStore, silentLog(), quick);
    try {
      const { queue, seen } = working(backend);
      await queue.addAll([1, 2].map((data) => ({ id: `${data}`, data, delay: data })));
      await queue.repeat('look', 3, 100);
      await until('the jobs', () => Promise.resolve(new Set(seen).size === 3));
      await queue.promote('4');
      await queue.remove('4');
      // What is repeated may just be at work.
      await expect.poll(async () => (await queue.counts()).active).toBe(0);

      expect(other.available).toBe(false);
      // A busy Redis may not have answered yet.
      await expect.poll(() => other.trouble).toContain('~other:* +@all -@dangerous +info');

      let times = 0;
      const reasons: string[] = [];
      const tried = new Promise<void>((resolve) => {
        less.onUnavailable((reason) => {
          reasons.push(reason);
          if (reasons.length === 4) resolve();
        });
      });
      const add = async (): Promise<void> => {
        times += 1;
        await less
          .queue('work')
          .add('a', 1)
          .catch(() => undefined);
      };
      less.onAvailable(() => void add());
      const start = performance.now();
      await add();
      await tried;
      expect(times).toBe(4);
      expect(performance.now() - start).toBeGreaterThan(800);
      expect(reasons).toContainEqual(expect.stringContaining('~gatepost:* +@all -@dangerous +info'));
    } finally {
      await Promise.all([backend, less, other].map(async (each) => await each.close(500)));
      await redis.dispose();
    }
  });

  it('a user who may not wait for jobs is told, also when the right is taken away later; jobs run when it is back', async () => {
    const redis = await startRedis();
    await redis.command('ACL SETUSER mail on >pw ~gatepost:* resetchannels +@all -@dangerous +info -@blocking');
    const backend = await openQueue(
      { queue: redis.url.replace('//', '//mail:pw@') },
      noStore,
      silentLog(),
      // What a worker meets is not seen by looking.
      { ...quick, interval: 3_600_000 },
    );
    try {
      const { queue, seen } = working(backend);
      const told = 'let the user of `queue:` do what is needed: ACL SETUSER ... ~gatepost:* +@all -@dangerous +info';
      expect(backend.available).toBe(false);
      expect(backend.trouble).toContain(told);
      let times = 0;
      backend.onAvailable(() => (times += 1));
      await redis.command('ACL SETUSER mail +@blocking');
      await until('its coming', () => Promise.resolve(times === 1));
      await queue.add('a', 1);
      await until('the job', () => Promise.resolve(seen.includes(1)));

      const reasons: string[] = [];
      backend.onUnavailable((reason) => reasons.push(reason));
      await redis.command('ACL SETUSER mail -@blocking');
      await until('its loss', () => Promise.resolve(!backend.available));
      // Others than the workers, too, look for it in vain.
      await expect(queue.add('b', 2)).rejects.toThrow('job queue');
      expect(reasons).toEqual([expect.stringMatching(/^NOPERM /)]);
      expect(backend.trouble).toContain(told);
      await redis.command('ACL SETUSER mail +@blocking');
      await until('its return', () => Promise.resolve(times === 2));
      await queue.add('b', 2);
      await until('the job after that', () => Promise.resolve(seen.includes(2)));
    } finally {
      await backend.close(500);
      await redis.dispose();
    }
  });

  it('is refused with the line to change', async () => {
    const redis = await startRedis(['--maxmemory-policy', 'allkeys-lru']);
    await expect(openQueue({ queue: redis.url }, noStore, silentLog())).rejects.toThrow('maxmemory-policy noeviction');
    await redis.dispose();
  });

  it('does not show its password', async () => {
    const redis = await startRedis(['--requirepass', 'geheim']);
    const url = redis.url.replace('//', '//:geheim@');
    const backend = await openQueue({ queue: url }, noStore, silentLog());
    expect(backend.available).toBe(true);
    expect(backend.name).toBe(`redis://127.0.0.1:${redis.port}`);
    await backend.close();
    await redis.dispose();
  });

  it('that is no Redis at all leaves the queue unavailable', async () => {
    const server = createServer((socket) => socket.resume().end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const backend = await openQueue({ queue: `redis://127.0.0.1:${port}` }, noStore, silentLog(), quick);
    expect(backend.available).toBe(false);
    await backend.close(100);
    await new Promise((resolve) => server.close(resolve));
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
