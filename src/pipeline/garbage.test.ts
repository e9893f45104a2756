import { constants, PerformanceObserver, type PerformanceEntry } from 'node:perf_hooks';
import { afterEach, expect, it, vi } from 'vitest';
import { clearUpAfterStart, collector, Garbage } from './garbage.js';

/** As Node reports a collection. */
interface Collection extends PerformanceEntry {
  readonly detail?: { readonly kind: number; readonly flags: number };
}

const MB = 2 ** 20;
const KINDS = new Map<number | undefined, string>([
  [constants.NODE_PERFORMANCE_GC_MAJOR, 'major'],
  [constants.NODE_PERFORMANCE_GC_MINOR, 'minor'],
]);

const turn = async (): Promise<void> => await new Promise((resolve) => setImmediate(resolve));

/** The kinds of the collections that were asked for by `work`, in order. */
async function asked(work: () => unknown): Promise<readonly (string | undefined)[]> {
  const seen: Collection[] = [];
  const observer = new PerformanceObserver((list) => seen.push(...list.getEntries()));
  observer.observe({ entryTypes: ['gc'] });
  work();
  // It is done in a later turn, and told in one after that.
  for (let i = 0; i < 5; i++) await turn();
  seen.push(...observer.takeRecords());
  observer.disconnect();
  const forced = ({ detail }: Collection): boolean =>
    ((detail?.flags ?? 0) & constants.NODE_PERFORMANCE_GC_FLAGS_FORCED) !== 0;
  return seen.filter(forced).map(({ detail }) => KINDS.get(detail?.kind));
}

afterEach(() => {
  vi.useRealTimers();
});

it.each(['major', 'minor'] as const)('collects what it is told to: %s', async (depth) => {
  expect(await asked(() => collector()?.(depth))).toEqual([depth]);
});

it.each([
  { title: 'nothing behind a few small messages', sizes: [MB, 2 * MB, 3 * MB], kinds: [] },
  { title: 'what is young behind some', sizes: [3 * MB, 3 * MB, 2 * MB, MB], kinds: ['minor'] },
  { title: 'what is young behind a large one', sizes: [MB, 4 * MB], kinds: ['minor'] },
  { title: 'no more often than that', sizes: Array<number>(64).fill(MB), kinds: Array<string>(8).fill('minor') },
])('clears up $title', async ({ sizes, kinds }) => {
  const garbage = new Garbage();
  expect(
    await asked(() => {
      for (const size of sizes) garbage.left(size);
    }),
  ).toEqual(kinds);
});

it('clears up everywhere twice when the start is over, and not after its end', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  clearUpAfterStart();
  expect(await asked(() => vi.advanceTimersByTime(29_000))).toEqual([]);
  expect(await asked(() => vi.advanceTimersByTime(30_000))).toEqual(['major', 'major']);
  await clearUpAfterStart().close();
  expect(await asked(() => vi.advanceTimersByTime(60_000))).toEqual([]);
});
