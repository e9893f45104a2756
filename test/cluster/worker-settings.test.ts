import { appendFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { urlOf } from '../../src/store/embedded/address.js';
import { makeSite, spawnGateway, type Site } from '../support/gateway.js';
import { startTestStore, type TestStore } from '../support/postgres.js';
import { until } from '../support/until.js';

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
