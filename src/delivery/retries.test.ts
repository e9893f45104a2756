import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLog } from '../telemetry/log.js';
import type { JobOutcome, JobQueue, NewJob, QueueBackend } from '../queue/types.js';
import { Retries } from './retries.js';

/** A job queue whose every answer the test gives, in the order in which it was asked. */
class SlowQueue implements JobQueue<unknown> {
  readonly name = 'slow';
  readonly jobs = new Map<string, number>();
  /** How many jobs each round trip was for. */
  readonly trips: number[] = [];
  readonly removed: string[] = [];
  readonly #waiting: (() => void)[] = [];

  /** Lets it answer what it was asked so far, and what is asked in consequence. */
  async answer(): Promise<void> {
    await settled();
    for (let go = this.#waiting.shift(); go !== undefined; go = this.#waiting.shift()) {
      go();
      await settled();
    }
  }

  async answerOne(): Promise<void> {
    this.#waiting.shift()?.();
    await settled();
  }

  async addAll(jobs: readonly NewJob<unknown>[]): Promise<void> {
    if (jobs.length === 0) return;
    this.trips.push(jobs.length);
    await this.#turn();
    for (const { id, delay } of jobs) if (!this.jobs.has(id)) this.jobs.set(id, delay);
  }

  async remove(id: string): Promise<void> {
    this.removed.push(id);
    await this.#turn();
    this.jobs.delete(id);
  }

  process(): void {
    throw new Error('not asked for');
  }

  add(): Promise<void> {
    return Promise.reject(new Error('not asked for'));
  }

  promote(): Promise<void> {
    return Promise.reject(new Error('not asked for'));
  }

  repeat(): Promise<void> {
    return Promise.reject(new Error('not asked for'));
  }

  counts(): Promise<{ waiting: number; active: number; delayed: number }> {
    return Promise.reject(new Error('not asked for'));
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

let queue: SlowQueue;
let spool: Map<string, number>;
let outcomes: Map<string, JobOutcome>;
let retries: Retries;

beforeEach(() => {
  queue = new SlowQueue();
  spool = new Map();
  outcomes = new Map();
  const backend: QueueBackend = {
    name: 'slow',
    available: true,
    trouble: undefined,
    queues: [],
    unfit: () => Promise.resolve(undefined),
    queue: <Data>() => queue as JobQueue<unknown> as JobQueue<Data>,
    onAvailable: () => undefined,
    onUnavailable: () => undefined,
    close: () => Promise.resolve(),
  };
  retries = new Retries({
    backend,
    node: 'here',
    log: silentLog(),
    waiting: () => [...spool],
    worth: () => true,
    run: (item) => Promise.resolve(outcomes.get(item) ?? 'done'),
    concurrency: 4,
    now: () => 0,
  });
});
afterEach(() => {
  retries.close();
});

test('items that come while others get their jobs get theirs together, hundreds at a time', async () => {
  const done: string[] = [];
  const index = async (n: number): Promise<void> => {
    await retries.index(`item-${n}`, n);
    done.push(`item-${n}`);
  };
  const all = [index(0)];
  await settled();
  for (let n = 1; n <= 1200; n++) all.push(index(n));
  await settled();
  expect(queue.trips).toEqual([1]);
  await queue.answerOne();
  // Who asks for one item waits for no other batch than its own.
  expect(done).toEqual(['item-0']);
  await queue.answer();
  await Promise.all(all);
  expect(queue.trips).toEqual([1, 500, 500, 200]);
  expect([...queue.jobs]).toEqual(Array.from({ length: 1201 }, (_, n) => [`item-${n}`, n]));
});

test('an item that was tried out of turn loses its job, and gets one for its new time', async () => {
  spool.set('a', 100).set('b', 100);
  void retries.indexAll();
  await queue.answer();
  expect([...queue.jobs]).toEqual([
    ['a', 100],
    ['b', 100],
  ]);
  outcomes.set('a', { again: 900 });
  spool.delete('b');
  retries.hurry(['a', 'b']);
  await settled();
  await queue.answer();
  expect(queue.removed).toEqual(['a', 'b']);
  expect([...queue.jobs]).toEqual([['a', 900]]);
});

test.each<[string, () => Promise<void>, number]>([
  ['a sweep', async () => await retries.indexAll(), 900],
  // It comes behind the end of the old job.
  ['somebody who asks for it', async () => await retries.index('a', 500), 500],
])('%s between the end of the old job and the new one leaves no item without', async (_, ask, at) => {
  spool.set('a', 100);
  void retries.indexAll();
  await queue.answer();
  outcomes.set('a', { again: 900 });
  retries.hurry(['a']);
  await settled();
  const asked = ask();
  await queue.answer();
  await asked;
  expect([...queue.jobs]).toEqual([['a', at]]);
  expect(queue.removed).toEqual(['a']);
});

test('what is tried twice while its job is about to go is put off once, to the later word', async () => {
  spool.set('a', 100).set('b', 100);
  void retries.indexAll();
  await queue.answer();
  outcomes.set('a', { again: 700 }).set('b', { again: 700 });
  retries.hurry(['a', 'b']);
  await settled();
  // `a` is just being removed; `b` waits for its turn.
  outcomes.set('b', { again: 900 });
  retries.hurry(['b']);
  await settled();
  await queue.answer();
  await queue.answer();
  expect([...queue.jobs]).toEqual([
    ['a', 700],
    ['b', 900],
  ]);
  expect(queue.removed).toEqual(['a', 'b']);
});
