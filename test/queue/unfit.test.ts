import { readFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { PROGRAM_FOLDER } from '../../src/config/load.js';
import { openQueue } from '../../src/queue/open.js';
import { silentLog } from '../../src/telemetry/log.js';
import { failures, noStore, quick, refuseUnhandled, working } from '../support/queue.js';
import { redisMissing, startRedis } from '../support/redis.js';
import { until } from '../support/until.js';

refuseUnhandled();

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
