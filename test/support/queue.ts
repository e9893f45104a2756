import { afterEach, beforeEach, expect } from 'vitest';
import type { JobQueue, QueueBackend } from '../../src/queue/types.js';
import type { OpenStore } from '../../src/store/open.js';

export const noStore: Pick<OpenStore, 'connection' | 'name'> = { name: 'unused', connection: {} };
export const quick = { backoff: () => 50, interval: 200 };

/** A test of the file that leaves a rejection unhandled fails. */
export function refuseUnhandled(): void {
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
}

/** Adds until it succeeds; gives the number of failures and the longest wait for one, in ms. */
export async function failures(backend: QueueBackend, count: number): Promise<number> {
  let longest = 0;
  for (let i = 0; i < count; i++) {
    const start = Date.now();
    await expect(backend.queue('work').add(`lost-${i}`, i)).rejects.toThrow('job queue');
    longest = Math.max(longest, Date.now() - start);
  }
  return longest;
}

/** A queue whose jobs are all done, so many at a time; what they bring is seen. */
export function working(
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
