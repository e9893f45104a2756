import { execFile } from 'node:child_process';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { compiledSources } from '../support/compile.js';

const run = promisify(execFile);

/**
 * A thread of a process of its own whose heap for what is young V8 has made small, and which then works as one under load
 * does: much is made, and next to nothing of it survives. Says how much room there was before, after, and in the end.
 */
const THREAD = `
const v8 = require('node:v8');
const { isMainThread, Worker, workerData } = require('node:worker_threads');

async function thread({ module, keep }) {
  const { keepYoungRoom, youngRoom } = await import(module);
  const old = Array.from({ length: 300_000 }, (_, i) => ({ i, all: [i] }));
  const rooms = [youngRoom()];
  // V8 gives back what it can before it makes a snapshot.
  v8.getHeapSnapshot().destroy();
  rooms.push(youngRoom());
  if (keep) keepYoungRoom(0.1, { first: 600, every: 600 });
  const end = performance.now() + 2500;
  const work = () => {
    let some = [];
    for (let i = 0; i < 40_000; i++) some = i % 50 === 0 ? [] : [...some, { i }];
    if (performance.now() < end) return void setTimeout(work, 2);
    console.log(JSON.stringify([...rooms, youngRoom()].map((bytes) => bytes / 2 ** 20)));
    return old;
  };
  work();
}

const { limit, ...told } = isMainThread ? JSON.parse(process.argv[1]) : workerData;
if (isMainThread && limit !== undefined)
  new Worker(process.execArgv.at(-1), { eval: true, workerData: told, resourceLimits: { maxYoungGenerationSizeMb: limit } });
else thread(told);
`;

const answer = z.tuple([z.number(), z.number(), z.number()]);

/** MiB for what is young: after the start, once V8 has taken it back, and after two seconds of load. */
async function rooms(told: { keep: boolean; limit?: number }): Promise<z.infer<typeof answer>> {
  const module = pathToFileURL(path.join(await compiledSources(), 'src', 'pipeline', 'young.js')).href;
  const { stdout } = await run(process.execPath, ['-e', THREAD, JSON.stringify({ module, ...told })]);
  return answer.parse(JSON.parse(stdout));
}

it('has V8 give the room back that it has taken', async () => {
  const [before, taken, after] = await rooms({ keep: true });
  expect(taken).toBeLessThan(before);
  expect(after).toBe(before);
});

// Where this fails, V8 gives it back by itself: then nothing of this is needed any more.
it('is what does that: V8 left alone keeps it', async () => {
  const [before, taken, after] = await rooms({ keep: false });
  expect(taken).toBeLessThan(before);
  expect(after).toBeLessThan(before);
});

it('goes by the limit of a thread', async () => {
  const [, taken, after] = await rooms({ keep: true, limit: 24 });
  expect(taken).toBeLessThan(16);
  expect(after).toBe(16);
});
