import { appendFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { urlOf } from '../../src/store/embedded/address.js';
import { makeSite, runGatepost, spawnGateway, type Site } from '../support/gateway.js';
import { startTestStore, type TestStore } from '../support/postgres.js';
import { until } from '../support/until.js';
import { item } from '../store/records.js';

let test: TestStore;
let site: Site;

beforeAll(async () => {
  test = await startTestStore();
  site = await makeSite(`domains: [example.org]
delivery: { nextHop: "maildir:./inbox" }
store: "${urlOf(test.store.connection)}"
`);
});
afterAll(async () => {
  await site.remove();
  await test.stop();
});

it('a worker takes changed settings over and says of none that it waits for a restart: its folder is its own', async () => {
  const worker = spawnGateway(site, {}, ['--role', 'worker']);
  try {
    await worker.ready;
    await appendFile(site.config, 'notifications: { general: [security@example.org] }\n');
    const log = (): string => worker.log.join('\n');
    await until('the new settings', () => Promise.resolve(log().includes('the changed settings are in force')));
    expect(await worker.stop()).toBe(0);
    expect(log()).not.toContain('only after a restart');
  } finally {
    await worker.kill();
  }
});

it('nothing is released into the folder of a worker, from which no mail goes out', async () => {
  const kept = item();
  await test.store.quarantine.put(kept, [Buffer.from('abc')]);
  const release = async () => await runGatepost(['quarantine', 'release', kept.id, '--config', site.config]);
  const refused = await release();
  expect([refused.status, refused.stderr]).toEqual([1, expect.stringContaining('No gateway has run on')]);
  expect((await test.store.quarantine.get(kept.id))?.state).toBe('stored');

  const gateway = spawnGateway(site, {}, ['--role', 'gateway']);
  await gateway.ready;
  expect(await gateway.stop()).toBe(0);
  const released = await release();
  expect([released.status, released.stderr]).toEqual([0, '']);
});
