import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { eicar } from '../../src/cli/demo/messages.js';
import { sendMail } from '../../src/cli/demo/smtp-client.js';
import { urlOf } from '../../src/store/embedded/address.js';
import { startFakeSmtp, type FakeSmtp } from '../support/fake-smtp.js';
import { makeSite, runGatepost, spawnGateway, type Site, type SpawnedGateway } from '../support/gateway.js';
import { makeMail } from '../support/mail.js';
import { startTestStore, type TestStore } from '../support/postgres.js';
import { redisMissing, startRedis, type TestRedis } from '../support/redis.js';
import { until } from '../support/until.js';

const RULES = `rules:
  - id: inbound
    name: Inbound
    match: { recipient: ["*@example.org"] }
    on:
      malware: { action: discard, notify: [general] }
`;

const nodesOf = z.array(
  z.object({
    name: z.string(),
    roles: z.array(z.string()),
    address: z.string(),
    port: z.number(),
    state: z.string(),
    control: z.boolean(),
    rules: z.string(),
  }),
);

describe.skipIf(redisMissing)('gateways and workers of their own', () => {
  let redis: TestRedis;
  let store: TestStore;
  let hop: FakeSmtp;
  let site: Site;
  const running: SpawnedGateway[] = [];

  function start(node: string, role: string): SpawnedGateway {
    const started = spawnGateway(site, { NODE: node }, ['--role', role]);
    running.push(started);
    return started;
  }

  async function nodes(): Promise<z.output<typeof nodesOf>> {
    process.env['NODE'] = 'gw1';
    const { stdout } = await runGatepost(['nodes', '--json', '--config', site.config]);
    return nodesOf.parse(JSON.parse(stdout));
  }

  async function sendVirus(port: number): Promise<void> {
    const reply = await sendMail('127.0.0.1', port, {
      sender: 'a@partner.example',
      recipients: ['b@example.org'],
      bytes: makeMail('See the file.', [{ name: 'eicar.com', bytes: eicar() }]),
    });
    expect(reply).toMatch(/^250/);
  }

  beforeAll(async () => {
    [redis, store, hop] = await Promise.all([startRedis(), startTestStore(), startFakeSmtp()]);
    site = await makeSite(
      `node: { name: "\${NODE}" }
data: "./data-\${NODE}"
smtp: { listen: ["127.0.0.1:0"] }
scan: { threads: 1 }
domains: [example.org]
delivery: { nextHop: "${hop.url}?tls=off" }
notifications: { general: [security@example.org] }
queue: "${redis.url}"
store: "${urlOf(store.store.connection)}"
`,
      { 'rules/50-test.yaml': RULES },
    );
  });
  afterAll(async () => {
    await Promise.all(running.map(async (each) => await each.kill()));
    await site.remove();
    await hop.close();
    await Promise.all([redis.dispose(), store.stop()]);
  });

  it('two gateways take mail, workers come and go, and each notification is sent once', async () => {
    const gateways = [start('gw1', 'gateway'), start('gw2', 'gateway')];
    const ports = await Promise.all(gateways.map(async ({ ready }) => await ready));
    for (const port of ports) await sendVirus(port);
    expect(hop.mails).toHaveLength(0);

    // They share the configuration of the first gateway, and of each other.
    const workers = [start('gw1', 'worker'), start('gw1', 'worker')];
    await Promise.all(workers.map(async ({ ready }) => await ready));
    await until('both notifications', () => Promise.resolve(hop.mails.length >= 2));

    const listed = await nodes();
    expect(listed.map(({ name, roles, state }) => [name, roles.join(), state])).toEqual([
      ['gw1', 'gateway', 'running'],
      ['gw1-worker', 'worker', 'running'],
      ['gw1-worker-2', 'worker', 'running'],
      ['gw2', 'gateway', 'running'],
    ]);
    expect(listed.filter(({ control }) => control)).toHaveLength(1);
    expect(listed.filter(({ port }) => port !== 0).map(({ port }) => port)).toEqual(ports);
    expect(new Set(listed.map(({ rules }) => rules)).size).toBe(1);

    await workers[0]?.kill();
    for (const port of ports) await sendVirus(port);
    await until('the notifications of the worker that is left', () => Promise.resolve(hop.mails.length >= 4));
    expect(await workers[1]?.stop()).toBe(0);
    expect((await store.store.nodes.list()).filter(({ stopped }) => stopped !== undefined)).toHaveLength(1);
    expect(hop.mails).toHaveLength(4);
  }, 60_000);

  it('a second gateway of the same name is refused, and says what to change', async () => {
    const other = await makeSite(
      `node: { name: gw1 }
smtp: { listen: ["127.0.0.1:0"] }
scan: { threads: 1 }
queue: "${redis.url}"
store: "${urlOf(store.store.connection)}"
`,
    );
    const second = spawnGateway(other, {}, ['--role=gateway,worker']);
    running.push(second);
    await expect(second.ready).rejects.toThrow(/A node named gw1 runs already.*Set another `node\.name`/s);
    await other.remove();
  }, 30_000);
});
