import { constants, PerformanceObserver, type PerformanceEntry } from 'node:perf_hooks';
import v8 from 'node:v8';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { clearUpAfterStart, collect, Garbage } from './garbage.js';

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
  vi.restoreAllMocks();
});

it.each(['major', 'minor'] as const)('collects what it is told to: %s', async (depth) => {
  expect(await asked(() => collect(depth))).toEqual([depth]);
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

describe('after a start', () => {
  /**
   * @param busy share of the time from each look to the next
   * @param cores how much of one core the whole process takes meanwhile
   */
  function start(busy: readonly number[], cores: readonly number[] = []): { close(): Promise<void> } {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    const shares = [...busy];
    processTakes(cores);
    vi.spyOn(performance, 'eventLoopUtilization').mockImplementation((_, since) => ({
      idle: 0,
      active: 0,
      utilization: since === undefined ? 0 : (shares.shift() ?? 0),
    }));
    heapIs(60);
    return clearUpAfterStart(0.2);
  }

  /** As the system counts it, from now on: µs, half of them in calls of the system. */
  function processTakes(cores: readonly number[]): void {
    const shares = [...cores];
    let [used, last] = [5e6, performance.now()];
    vi.spyOn(process, 'cpuUsage').mockImplementation(() => {
      const now = performance.now();
      if (now > last) used += (shares.shift() ?? 0) * (now - last) * 1000;
      last = now;
      return { user: used / 2, system: used / 2 };
    });
  }

  /** Whatever the heap of the process is that runs these tests with many others. */
  function heapIs(mebibytes: number): void {
    const now = v8.getHeapStatistics();
    vi.spyOn(v8, 'getHeapStatistics').mockReturnValue({ ...now, used_heap_size: mebibytes * MB });
  }

  const pass = async (seconds: number): Promise<readonly unknown[]> =>
    await asked(() => vi.advanceTimersByTime(seconds * 1000));

  it('clears up everywhere, twice', async () => {
    start([]);
    expect(await pass(29)).toEqual([]);
    expect(await pass(2)).toEqual(['major']);
    expect(await pass(15)).toEqual(['major']);
    expect(await pass(600)).toEqual([]);
  });

  it('waits until there is little to do', async () => {
    start([0.3, 0.21, 0.19, 0.5, 0.01]);
    expect(await pass(59)).toEqual([]);
    expect(await pass(15)).toEqual(['major']);
    expect(await pass(600)).toEqual(['major']);
  });

  it('waits until there is little to do for the others too', async () => {
    start([], [1.2, 0.41, 0.39, 0.5]);
    expect(await pass(59)).toEqual([]);
    expect(await pass(15)).toEqual(['major']);
    expect(await pass(14)).toEqual([]);
    expect(await pass(600)).toEqual(['major']);
  });

  it('leaves a large heap to V8', async () => {
    start([]);
    heapIs(129);
    expect(await pass(600)).toEqual([]);
    heapIs(127);
    expect(await pass(30)).toEqual(['major', 'major']);
  });

  it.each([1, 31])('does nothing more when it has ended after %d s', async (seconds) => {
    const ends = start([]);
    await pass(seconds);
    await ends.close();
    expect(await pass(600)).toEqual([]);
  });
});
