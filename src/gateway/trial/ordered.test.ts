import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { ordered } from './ordered.js';

async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}

describe('work on the items of a source', () => {
  it('gives results in the order of the items, with no more than the width under way', async () => {
    let running = 0;
    let most = 0;
    const items = Array.from({ length: 40 }, (_, i) => i);
    const results = await all(
      ordered(items, 5, async (item) => {
        most = Math.max(most, (running += 1));
        await delay((item * 7) % 5);
        running -= 1;
        return item * 2;
      }),
    );
    expect(results).toEqual(items.map((item) => item * 2));
    expect(most).toBe(5);
  });

  it('does not read ahead of the work', async () => {
    let read = 0;
    function* source(): Generator<number> {
      for (;;) yield (read += 1);
    }
    const results = ordered(source(), 3, (item) => Promise.resolve(item));
    expect((await results.next()).value).toBe(1);
    expect(read).toBe(3);
    await results.return(undefined);
  });

  it('passes a failure on in its turn, and waits for what is under way', async () => {
    let ended = 0;
    const results = ordered([1, 2, 3], 3, async (item) => {
      await delay(item);
      ended += 1;
      if (item === 2) throw new Error('two');
      return item;
    });
    expect((await results.next()).value).toBe(1);
    await expect(results.next()).rejects.toThrow('two');
    expect(ended).toBe(3);
  });
});
