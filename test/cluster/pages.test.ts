import { createServer, type AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { urlOf } from '../../src/store/embedded/address.js';
import { freePort } from '../support/free-port.js';
import { makeSite, spawnGateway, type Site, type SpawnedGateway } from '../support/gateway.js';
import { startTestStore, type TestStore } from '../support/postgres.js';
import { until } from '../support/until.js';

let test: TestStore;
const closers: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  test = await startTestStore();
});
afterAll(async () => {
  await test.stop();
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function siteOn(name: string, pages: number, processes: number): Promise<Site> {
  const site = await makeSite(`node: { name: ${name} }
smtp: { listen: ["127.0.0.1:0"], processes: ${processes} }
http: { listen: ["127.0.0.1:${pages}"] }
domains: [example.org]
delivery: { nextHop: "maildir:./inbox" }
store: "${urlOf(test.store.connection)}"
`);
  closers.push(() => site.remove());
  return site;
}

function start(site: Site, role: string): SpawnedGateway {
  const spawned = spawnGateway(site, {}, ['--role', role]);
  closers.push(() => spawned.kill());
  return spawned;
}

describe('the pages of one configuration', () => {
  it.each([1, 2])('go from a worker that came first to a gateway of %i, also when it comes anew', async (processes) => {
    const port = await freePort();
    const name = `pages${processes}`;
    const site = await siteOn(name, port, processes);
    const metrics = async (): Promise<string> => await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    const worker = start(site, 'worker');
    await worker.ready;
    expect(await metrics()).toContain(`node="${name}"`);
    for (const time of ['first', 'anew']) {
      const gateway = start(site, 'gateway');
      await gateway.ready;
      // Only gateways have sessions.
      expect([time, await metrics()]).toEqual([time, expect.stringContaining('gatepost_sessions')]);
      expect(await gateway.stop()).toBe(0);
    }
    expect(worker.log.join('\n')).toContain('a gateway serves its pages where those of this worker were');

    // A worker that comes while the gateway is away has them, until it is back.
    const second = start(site, 'worker');
    await second.ready;
    await until('the pages of the second worker', async () => (await metrics()).includes(`node="${name}`));
    await start(site, 'gateway').ready;
    expect(await metrics()).toContain('gatepost_sessions');
    expect(await worker.stop()).toBe(0);
    expect(await second.stop()).toBe(0);
  });

  it('are no reason to start without them: a port that another program has ends the start', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    closers.push(() => new Promise((resolve) => other.close(resolve)));
    const { port } = other.address() as AddressInfo;
    const site = await siteOn('typo', port, 1);
    const worker = start(site, 'worker');
    await worker.ready;
    expect(worker.log.join('\n')).toContain('metrics and health of this worker are not served');
    await expect(start(site, 'gateway').ready).rejects.toThrow('another program listens there already');
  });
});
