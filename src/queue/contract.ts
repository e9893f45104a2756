import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { BackendOptions } from './backend.js';
import type { QueueBackend } from './types.js';

/** A backend under test. */
export interface Subject {
  open(options?: BackendOptions): Promise<QueueBackend>;
}

const WAIT = { timeout: 20_000, interval: 20 };

/** What every backend of the job queue must do. @param subject made once for the whole suite */
export function queueContract(name: string, subject: () => Subject): void {
  describe(`job queue on ${name}`, () => {
    let backend: QueueBackend;
    let queueName = '';
    let count = 0;

    beforeEach(async () => {
      count += 1;
      queueName = `contract-${process.pid}-${count}`;
      backend = await subject().open({ backoff: () => 50 });
    });
    afterEach(async () => {
      await backend.close(1000);
    });

    it('is available and has a name without secrets', () => {
      expect(backend.available).toBe(true);
      expect(backend.name).not.toBe('');
    });

    it('runs a job once, with its data and its ID', async () => {
      const queue = backend.queue<{ readonly text: string }>(queueName);
      const seen: unknown[] = [];
      queue.process(2, (data, context) => {
        seen.push({ data, context });
        return Promise.resolve('done');
      });
      await queue.add('one', { text: 'hello' });
      await vi.waitFor(() => expect(seen).toHaveLength(1), WAIT);
      expect(seen).toEqual([{ data: { text: 'hello' }, context: { id: 'one', attempt: 1 } }]);
      await vi.waitFor(async () => {
        expect(await queue.counts()).toEqual({ waiting: 0, active: 0, delayed: 0 });
      }, WAIT);
      expect(seen).toHaveLength(1);
    });

    it('takes many jobs at once: those that are there already stay as they are', async () => {
      const queue = backend.queue<number>(queueName);
      await queue.add('job-5', -5, 3_600_000);
      const jobs = Array.from({ length: 500 }, (_, i) => ({ id: `job-${i}`, data: i, delay: i < 250 ? 0 : 3_600_000 }));
      await queue.addAll(jobs);
      await queue.addAll(jobs);
      await queue.addAll([]);
      expect(await queue.counts()).toEqual({ waiting: 249, active: 0, delayed: 251 });
      await queue.promote('job-5');
      const seen: number[] = [];
      queue.process(5, (data) => {
        seen.push(data);
        return Promise.resolve('done');
      });
      await vi.waitFor(() => expect(seen).toHaveLength(250), WAIT);
      expect(seen.sort((a, b) => a - b)).toEqual(
        [-5, ...jobs.slice(0, 250).map(({ data }) => data)].filter((n) => n !== 5),
      );
    });

    it('repeats a job, once for all that ask for it', async () => {
      const queue = backend.queue<string>(queueName);
      const times: number[] = [];
      queue.process(5, () => {
        times.push(Date.now());
        return Promise.resolve('done');
      });
      await Promise.all([1, 2, 3].map(async () => await queue.repeat('look', 'x', 400)));
      await vi.waitFor(() => expect(times.length).toBeGreaterThanOrEqual(4), WAIT);
      const [first = 0] = times;
      const last = times.at(-1) ?? 0;
      // One every 400 ms, and not one for each that has asked.
      expect(times.length).toBeLessThanOrEqual((last - first) / 400 + 2);
    });

    it('goes on repeating when a run throws, and at the pace and with the data that were asked for last', async () => {
      const queue = backend.queue<string>(queueName);
      const seen: string[] = [];
      queue.process(5, (data) => {
        seen.push(data);
        return seen.length < 3 ? Promise.reject(new Error('not now')) : Promise.resolve('done');
      });
      await queue.repeat('look', 'slow', 700);
      await vi.waitFor(() => expect(seen.length).toBeGreaterThanOrEqual(3), WAIT);
      await queue.repeat('look', 'fast', 50);
      await vi.waitFor(() => expect(seen.filter((data) => data === 'fast').length).toBeGreaterThanOrEqual(4), WAIT);
    });

    it('repeats more rarely what finds nothing to do, and at its pace again when it does', async () => {
      const queue = backend.queue<string>(queueName);
      const every = 60;
      const times: number[] = [];
      queue.process(1, () => {
        times.push(Date.now());
        return Promise.resolve(times.length <= 6 ? 'idle' : 'done');
      });
      await queue.repeat('look', 'x', every);
      await vi.waitFor(() => expect(times.length).toBeGreaterThanOrEqual(12), WAIT);
      const pauses = times.slice(1, 7).map((time, i) => time - (times[i] ?? 0));
      expect(Math.min(...pauses)).toBeGreaterThanOrEqual(5 * every - 2);
      const later = times.slice(8).map((time, i) => time - (times[i + 7] ?? 0));
      expect(Math.min(...later)).toBeLessThan(5 * every);
    });

    it('repeats what several processes ask for and work off at once', async () => {
      const backends = [backend, await subject().open(), await subject().open()];
      try {
        const names = Array.from({ length: 8 }, (_, i) => `${queueName}-${i}`);
        const runs = new Map(names.map((name) => [name, 0]));
        for (const name of names) {
          const queues = backends.map((each) => each.queue<string>(name));
          for (const queue of queues) {
            queue.process(1, () => {
              runs.set(name, (runs.get(name) ?? 0) + 1);
              return Promise.resolve('done');
            });
          }
          await Promise.all([...queues, ...queues].map(async (queue) => await queue.repeat('look', 'x', 100)));
        }
        await vi.waitFor(() => expect(Math.min(...runs.values())).toBeGreaterThanOrEqual(10), WAIT);
      } finally {
        for (const each of backends.slice(1)) await each.close(1000);
      }
    });

    it('takes any text as an ID and any JSON as data', async () => {
      const queue = backend.queue<string>(queueName);
      const ids = [
        '42',
        '0',
        'a:b',
        '01J8:x@y.example:rule%3A',
        'ä ö',
        '%',
        '%2A',
        'id',
        'wait',
        'stalled-check',
        'quote\'"',
        '../x',
      ];
      const seen = new Map<string, string>();
      for (const id of ids) await queue.add(id, `nul \0 lone \ud800 of ${id}`);
      queue.process(4, (data, { id }) => {
        seen.set(id, data);
        return Promise.resolve('done');
      });
      await vi.waitFor(() => expect(seen.size).toBe(ids.length), WAIT);
      for (const id of ids) expect(seen.get(id)).toBe(`nul \0 lone \ud800 of ${id}`);
      await expect(queue.add('', 'x')).rejects.toThrow('ID');
      expect(backend.available).toBe(true);
    });

    it('adds a job once while it waits, and again when it is over', async () => {
      const queue = backend.queue<number>(queueName);
      await queue.add('same', 1, 60_000);
      await queue.add('same', 2);
      expect(await queue.counts()).toEqual({ waiting: 0, active: 0, delayed: 1 });
      const seen: number[] = [];
      queue.process(1, (data) => {
        seen.push(data);
        return Promise.resolve('done');
      });
      await queue.promote('same');
      await vi.waitFor(() => expect(seen).toEqual([1]), WAIT);
      await vi.waitFor(async () => {
        await queue.add('same', 3);
        expect(seen).toEqual([1, 3]);
      }, WAIT);
    });

    it('does not add a job that is running', async () => {
      const queue = backend.queue<number>(queueName);
      let runs = 0;
      let finish: (() => void) | undefined;
      queue.process(4, async () => {
        runs += 1;
        await new Promise<void>((resolve) => {
          finish = resolve;
        });
        return 'done';
      });
      await queue.add('running', 1);
      await vi.waitFor(() => expect(finish).toBeDefined(), WAIT);
      await queue.add('running', 2);
      expect(await queue.counts()).toEqual({ waiting: 0, active: 1, delayed: 0 });
      finish?.();
      await vi.waitFor(async () => {
        expect(await queue.counts()).toEqual({ waiting: 0, active: 0, delayed: 0 });
      }, WAIT);
      expect(runs).toBe(1);
    });

    it('runs a job when its delay is over', async () => {
      const queue = backend.queue<number>(queueName);
      let ran = 0;
      queue.process(1, () => {
        ran = Date.now();
        return Promise.resolve('done');
      });
      const start = Date.now();
      await queue.add('later', 1, 400);
      await vi.waitFor(() => expect(ran).toBeGreaterThan(0), WAIT);
      expect(ran - start).toBeGreaterThanOrEqual(390);
    });

    it('promotes a delayed job, also one that a handler put off, and forgives a promotion of nothing', async () => {
      const queue = backend.queue<number>(queueName);
      const attempts: number[] = [];
      queue.process(1, (_, { attempt }) => {
        attempts.push(attempt);
        return Promise.resolve(attempt === 1 ? { again: Date.now() + 3_600_000 } : 'done');
      });
      await queue.promote('nothing');
      await queue.add('job', 1);
      await vi.waitFor(async () => {
        expect(await queue.counts()).toEqual({ waiting: 0, active: 0, delayed: 1 });
      }, WAIT);
      await queue.promote('job');
      await vi.waitFor(() => expect(attempts).toEqual([1, 2]), WAIT);
    });

    it('runs a job again at the time that the handler says', async () => {
      const queue = backend.queue<number>(queueName);
      const times: number[] = [];
      queue.process(1, () => {
        times.push(Date.now());
        return Promise.resolve(times.length < 3 ? { again: Date.now() + 200 } : 'done');
      });
      await queue.add('again', 1);
      await vi.waitFor(() => expect(times).toHaveLength(3), WAIT);
      expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(190);
    });

    it('runs a job again when its handler throws, without end', async () => {
      const queue = backend.queue<number>(queueName);
      let runs = 0;
      queue.process(1, () => {
        runs += 1;
        return runs < 5 ? Promise.reject(new Error('not \0 yet')) : Promise.resolve('done');
      });
      await queue.add('stubborn', 1);
      await vi.waitFor(() => expect(runs).toBe(5), WAIT);
      await vi.waitFor(async () => {
        expect(await queue.counts()).toEqual({ waiting: 0, active: 0, delayed: 0 });
      }, WAIT);
    });

    it('removes a job', async () => {
      const queue = backend.queue<number>(queueName);
      await queue.add('gone', 1, 60_000);
      await queue.remove('gone');
      await queue.remove('never-there');
      expect(await queue.counts()).toEqual({ waiting: 0, active: 0, delayed: 0 });
    });

    it('runs as many jobs at a time as it may, and no more', async () => {
      const queue = backend.queue<number>(queueName);
      let now = 0;
      let most = 0;
      let done = 0;
      for (let i = 0; i < 30; i++) await queue.add(`job-${i}`, i);
      queue.process(5, async () => {
        now += 1;
        most = Math.max(most, now);
        await sleep(20);
        now -= 1;
        done += 1;
        return 'done';
      });
      await vi.waitFor(() => expect(done).toBe(30), WAIT);
      expect(most).toBe(5);
    });

    it('keeps queues apart', async () => {
      const one = backend.queue<string>(`${queueName}-a`);
      const two = backend.queue<string>(`${queueName}-b`);
      const seen: string[] = [];
      one.process(1, (data) => {
        seen.push(data);
        return Promise.resolve('done');
      });
      await two.add('id', 'two');
      await one.add('id', 'one');
      await vi.waitFor(() => expect(seen).toEqual(['one']), WAIT);
      expect(await two.counts()).toEqual({ waiting: 1, active: 0, delayed: 0 });
    });

    it('waits for running jobs when it is closed, and refuses new ones', async () => {
      const queue = backend.queue<number>(queueName);
      let started = false;
      let finished = false;
      queue.process(1, async () => {
        started = true;
        await sleep(300);
        finished = true;
        return 'done';
      });
      await queue.add('slow', 1);
      await vi.waitFor(() => expect(started).toBe(true), WAIT);
      await backend.close(5000);
      expect(finished).toBe(true);
      await expect(queue.add('late', 1)).rejects.toThrow('closed');
    });

    it('gives up waiting when the grace is over, and the job is kept', async () => {
      const queue = backend.queue<number>(queueName);
      let finish: (() => void) | undefined;
      queue.process(1, async () => {
        await new Promise<void>((resolve) => {
          finish = resolve;
        });
        return 'done';
      });
      await queue.add('endless', 1);
      await vi.waitFor(() => expect(finish).toBeDefined(), WAIT);
      const start = Date.now();
      await backend.close(200);
      expect(Date.now() - start).toBeLessThan(5000);
      finish?.();
      backend = await subject().open();
      const { waiting, active } = await backend.queue(queueName).counts();
      expect(waiting + active).toBe(1);
    });

    it('hands jobs that were left over to the next process', async () => {
      await backend.queue<string>(queueName).add('left', 'over');
      await backend.close();
      backend = await subject().open();
      const seen: string[] = [];
      backend.queue<string>(queueName).process(1, (data) => {
        seen.push(data);
        return Promise.resolve('done');
      });
      await vi.waitFor(() => expect(seen).toEqual(['over']), WAIT);
    });
  });
}
