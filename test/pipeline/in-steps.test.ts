import { execFile } from 'node:child_process';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { compiledSources } from '../support/compile.js';

const run = promisify(execFile);

/**
 * A thread of a process of its own that works as one under load does: much is made, and nothing of it survives. Says how
 * often V8 has cleared up everywhere meanwhile, and how much memory was taken by it.
 */
const THREAD = `
const { isMainThread, Worker, workerData } = require('node:worker_threads');
const { PerformanceObserver, constants } = require('node:perf_hooks');

async function thread({ module, ask }) {
  const { clearUpInSteps } = await import(module);
  // Beside that, what the start leaves is too little for V8 to do it.
  const old = Array.from({ length: 300_000 }, (_, i) => ({ i, all: [i] }));
  gc();
  const begin = performance.now();
  const before = process.memoryUsage.rss();
  let major = 0;
  const observer = new PerformanceObserver((list) => {
    major += list.getEntries().filter(({ detail, startTime }) => detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR && startTime > begin).length;
  });
  observer.observe({ entryTypes: ['gc'] });
  if (ask) clearUpInSteps({ first: 200, every: 200, pause: 60_000 });
  const end = begin + 2500;
  const work = () => {
    let some = [];
    for (let i = 0; i < 20_000; i++) some = i % 50 === 0 ? [] : [...some, { i }];
    if (performance.now() < end && !(ask && major > 0)) return void setTimeout(work, 2);
    console.log(JSON.stringify({ major, grown: process.memoryUsage.rss() - before }));
    return old;
  };
  work();
}

const { inThread, ...told } = isMainThread ? JSON.parse(process.argv[1]) : workerData;
if (isMainThread && inThread)
  new Worker(process.execArgv.at(-1), { eval: true, workerData: told, resourceLimits: { maxOldGenerationSizeMb: 512 } });
else thread(told);
`;

const answer = z.object({ major: z.number(), grown: z.number() });

async function work(told: { ask: boolean; inThread: boolean }): Promise<z.infer<typeof answer> & { reduced: boolean }> {
  const module = pathToFileURL(path.join(await compiledSources(), 'src', 'pipeline', 'in-steps.js')).href;
  const { stdout } = await run(process.execPath, [
    '--expose-gc',
    '--trace-gc',
    '-e',
    THREAD,
    JSON.stringify({ module, ...told }),
  ]);
  const [said = ''] = /^\{.*\}$/m.exec(stdout) ?? [];
  return { ...answer.parse(JSON.parse(said)), reduced: stdout.includes('(reduce)') };
}

it.each([false, true])(
  'has V8 clear up, without making memory small or taking any (in a thread: %s)',
  async (inThread) => {
    const { major, grown, reduced } = await work({ ask: true, inThread });
    expect(major).toBeGreaterThan(0);
    expect(reduced).toBe(false);
    expect(grown).toBeLessThan(64 * 2 ** 20);
  },
);

it.each([false, true])('is what does that: V8 left alone does not (in a thread: %s)', async (inThread) => {
  const { major } = await work({ ask: false, inThread });
  expect(major).toBe(0);
});
