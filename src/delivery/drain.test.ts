import { describe, expect, it } from 'vitest';
import type { JobOutcome } from '../queue/types.js';
import { Drain, type DrainOptions } from './drain.js';

function drain(run: (item: string) => Promise<JobOutcome>, worth: DrainOptions['worth'] = () => true) {
  const results: unknown[] = [];
  let whenEmpty: () => void;
  const empty = new Promise<void>((resolve) => {
    whenEmpty = resolve;
  });
  const made = new Drain({
    concurrency: 3,
    worth,
    run,
    onRun: (item, outcome) => void results.push([item, outcome]),
    onError: (item, error) => void results.push([item, String(error)]),
    onEmpty: () => whenEmpty(),
  });
  return { drain: made, results, empty };
}

describe('a drain', () => {
  it('tries each item once, so many at a time, and tells when it is empty', async () => {
    let [now, most] = [0, 0];
    const items = Array.from({ length: 50 }, (_, index) => `item${index}`);
    const {
      drain: made,
      results,
      empty,
    } = drain(async () => {
      now += 1;
      most = Math.max(most, now);
      await Promise.resolve();
      now -= 1;
      return 'done';
    });
    made.add(items);
    made.add(items.slice(10));
    await empty;
    expect(results).toHaveLength(50);
    expect(new Set(results.map(String)).size).toBe(50);
    expect(most).toBe(3);
  });

  it('passes by what is not worth an attempt, what others try, and goes on after an error', async () => {
    const {
      drain: made,
      results,
      empty,
    } = drain(
      (item) => (item === 'bad' ? Promise.reject(new Error('broken')) : Promise.resolve({ again: 5 })),
      (item) => item !== 'vain',
    );
    made.add(['good', 'vain', 'bad', 'other', 'last']);
    expect(made.has('last')).toBe(true);
    made.delete('other');
    await empty;
    expect(results).toEqual([
      ['good', { again: 5 }],
      ['bad', 'Error: broken'],
      ['last', { again: 5 }],
    ]);
    expect(made.has('last')).toBe(false);
  });

  it('begins nothing more once it is closed', async () => {
    const tried: string[] = [];
    const { drain: made, empty } = drain((item) => {
      tried.push(item);
      return Promise.resolve('done');
    });
    made.add(['a', 'b', 'c', 'd', 'e']);
    made.close();
    await empty;
    expect(tried).toEqual(['a', 'b', 'c']);
  });
});
