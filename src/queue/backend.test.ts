import { afterEach, expect, test } from 'vitest';
import { silentLog } from '../telemetry/log.js';
import { WatchedBackend } from './backend.js';
import type { BackendQueue, BackendWorker, Driver } from './driver.js';

let backend: WatchedBackend | undefined;
afterEach(async () => {
  await backend?.close(0);
  backend = undefined;
});

const QUEUE: BackendQueue = {
  add: () => Promise.resolve(),
  addBulk: () => Promise.resolve(),
  getJob: () => Promise.resolve(undefined),
  remove: () => Promise.resolve(),
  getJobCounts: () => Promise.resolve({}),
  close: () => Promise.resolve(),
};
const WORKER: BackendWorker = { close: () => Promise.resolve(), disconnect: () => Promise.resolve() };

/** A backend that is there. */
function driver(openWorker: (name: string) => Promise<void>): Driver {
  return {
    name: 'fake',
    probe: () => Promise.resolve({ emptied: false }),
    reasonOf: String,
    unfit: () => Promise.resolve(undefined),
    onLost: () => undefined,
    openQueue: () => Promise.resolve(QUEUE),
    openWorker: async (name) => {
      await openWorker(name);
      return WORKER;
    },
    close: () => Promise.resolve(),
  };
}

test('a queue that gets its work while the backend comes into reach is worked off', async () => {
  const workers: string[] = [];
  const made = new WatchedBackend(
    driver((name) => {
      workers.push(name);
      // The queue before this one was looked at without work.
      if (name === 'second') first.process(1, () => Promise.resolve('done'));
      return Promise.resolve();
    }),
    silentLog(),
  );
  backend = made;
  const first = made.queue('first');
  made.queue('second').process(1, () => Promise.resolve('done'));
  await made.open(0);
  expect(made.available).toBe(true);
  expect(workers).toEqual(['second', 'first']);
});

test('one whose worker cannot be opened then is out of reach, and is looked at again', async () => {
  const workers: string[] = [];
  const made = new WatchedBackend(
    driver((name) => {
      if (name === 'second' && workers.length === 0) first.process(1, () => Promise.resolve('done'));
      workers.push(name);
      return workers.length === 2 ? Promise.reject(new Error('no')) : Promise.resolve();
    }),
    silentLog(),
  );
  backend = made;
  const back = new Promise<void>((resolve) => {
    made.onUnavailable(() => made.onAvailable(resolve));
  });
  const first = made.queue('first');
  made.queue('second').process(1, () => Promise.resolve('done'));
  await made.open(0);
  await back;
  expect(workers).toEqual(['second', 'first', 'first']);
});
