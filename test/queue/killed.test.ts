import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openQueue } from '../../src/queue/open.js';
import { silentLog } from '../../src/telemetry/log.js';
import { compiledSources } from '../support/compile.js';
import { startTestStore, type TestStore } from '../support/postgres.js';
import { redisMissing, startRedis, type TestRedis } from '../support/redis.js';
import { until } from '../support/until.js';

/** A process that takes a job and never ends it. */
const WORKER = `
  const [folder, queue, connection] = process.argv.slice(1);
  const { openQueue } = await import(folder + '/src/queue/open.js');
  const { silentLog } = await import(folder + '/src/telemetry/log.js');
  const backend = await openQueue({ queue }, { name: 'store', connection: JSON.parse(connection) }, silentLog());
  const work = backend.queue('work');
  work.process(1, () => { console.log('running'); return new Promise(() => {}); });
  await work.add('job', 'data');`;

describe('a process that is killed in the middle of a job', () => {
  let sources: string;
  let test: TestStore;
  let redis: TestRedis | undefined;
  beforeAll(async () => {
    sources = await compiledSources();
    test = await startTestStore();
    if (!redisMissing) redis = await startRedis();
  });
  afterAll(async () => {
    await redis?.dispose();
    await test.stop();
  });

  it('has its job run again by another, on every backend', async () => {
    const queues = ['embedded', ...(redis === undefined ? [] : [redis.url])];
    await Promise.all(queues.map(runAgain));
  });

  async function runAgain(queue: string): Promise<void> {
    const { connection } = test.store;
    const child: ChildProcess = spawn(
      process.execPath,
      ['--input-type=module', '-e', WORKER, sources, queue, JSON.stringify(connection)],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const { stdout } = child;
    if (stdout === null) throw new Error('no output');
    await new Promise((resolve) => createInterface({ input: stdout }).once('line', resolve));
    child.kill('SIGKILL');

    const backend = await openQueue({ queue }, { name: 'store', connection }, silentLog());
    const work = backend.queue<string>('work');
    // Adding it again, as an outbox would, must not run it twice.
    await work.add('job', 'data');
    const seen: unknown[] = [];
    work.process(1, (data, context) => {
      seen.push({ data, ...context });
      return Promise.resolve('done');
    });
    await until('the job', () => Promise.resolve(seen.length > 0));
    await until('its end', async () => (await work.counts()).active === 0);
    expect(seen).toEqual([{ data: 'data', id: 'job', attempt: 2 }]);
    await backend.close();
  }
});
