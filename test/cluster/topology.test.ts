import { readFile } from 'node:fs/promises';
import { get } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFailed } from 'vitest';
import { z } from 'zod';
import { sendMail } from '../../src/cli/demo/smtp-client.js';
import { clamdMissing, startClamd, type TestClamd } from '../support/clamd.js';
import type { FakeMail } from '../support/fake-smtp.js';
import { makeSite, runGatepost, spawnGateway } from '../support/gateway.js';
import { makeMail } from '../support/mail.js';
import { redisMissing } from '../support/redis.js';
import { rspamdMissing, startRspamd, type TestRspamd } from '../support/rspamd.js';
import { ENVIRONMENT, startTopology, type ClusterNode, type Topology } from '../support/topology.js';
import { until } from '../support/until.js';

const MARKER = 'this-text-is-a-virus-in-this-test';
const SIGNATURE = `Test.Marker:0:*:${Buffer.from(MARKER).toString('hex')}`;
const GTUBE = 'XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X';
const CLIENT = '192.0.2.77';
const PATIENCE = 60_000;

const nodesOf = z.array(
  z.object({
    name: z.string(),
    roles: z.array(z.string()),
    port: z.number(),
    comment: z.string(),
    rules: z.string(),
    state: z.string(),
    control: z.boolean(),
  }),
);

let topology: Topology;
let clamd: TestClamd;
let rspamd: TestRspamd;

async function eventually(what: string, ask: () => Promise<boolean> | boolean): Promise<void> {
  await until(what, async () => await ask(), PATIENCE);
}

async function send(port: number, text: string, subject: string): Promise<string> {
  return await sendMail('127.0.0.1', port, {
    sender: 'a@partner.example',
    recipients: ['b@example.org'],
    bytes: makeMail(text, [], subject),
  });
}

function mailsWith(header: string): readonly FakeMail[] {
  return topology.hop.mails.filter(({ bytes }) => bytes.toString('latin1').split('\r\n\r\n')[0]?.includes(header));
}

async function page(port: number, name: string): Promise<number | undefined> {
  return await new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path: name, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).on('error', reject);
  });
}

async function command(node: ClusterNode | undefined, ...args: string[]) {
  Object.assign(process.env, ENVIRONMENT);
  return await runGatepost([...args, '--config', node?.site.config ?? '']);
}

async function nodes(): Promise<z.output<typeof nodesOf>> {
  return nodesOf.parse(JSON.parse((await command(topology.gateways[0], 'nodes', '--json')).stdout));
}

describe.skipIf(redisMissing || clamdMissing || rspamdMissing)('what docker-compose.yml starts', () => {
  beforeEach(() => {
    onTestFailed(() => void process.stderr.write(`${topology.complaints()}\n`));
  });
  beforeAll(async () => {
    [clamd, rspamd] = await Promise.all([startClamd([SIGNATURE]), startRspamd('')]);
    topology = await startTopology({
      gateways: 2,
      workers: 2,
      clamd: clamd.tcp,
      rspamd: rspamd.url,
      client: CLIENT,
      change: (config) => `${config}health: 1s\nscan: { threads: 1 }\n`,
    });
  });
  afterAll(async () => {
    await topology.dispose();
    await Promise.all([clamd.dispose(), rspamd.dispose()]);
  });

  it('mail that came before a worker runs: it flows through both gateways, and names the client of the PROXY line', async () => {
    // Workers come later: what is owed waits.
    await Promise.all(topology.gateways.map(async ({ process: { ready } }) => await ready));
    await eventually('both gateways', () => topology.balancer.ready.length === 2);
    for (const number of [1, 2, 3, 4])
      expect(await send(topology.balancer.port, 'Good morning.', `clean ${number}`)).toMatch(/^250 /);
    await eventually('four mails', () => mailsWith('Subject: clean').length >= 4);
    expect([...topology.balancer.given.values()]).toEqual([2, 2]);
    for (const { bytes } of mailsWith('Subject: clean')) expect(bytes.toString()).toContain(`[${CLIENT}]`);
    // Whoever is not the balancer is not believed, and nobody gets past it.
    const [first] = topology.gateways;
    expect(await send(first?.port ?? 0, 'x', 'past the balancer')).not.toMatch(/^250 /);
  });

  it('an infected one is refused by every gateway, and each is told once, by whichever worker', async () => {
    for (const number of [1, 2])
      expect(await send(topology.balancer.port, MARKER, `infected ${number}`)).toMatch(/^5\d\d /);
    expect(await send(topology.balancer.port, GTUBE, 'spam')).toMatch(/^5\d\d /);
    await Promise.all(topology.workers.map(async ({ process: { ready } }) => await ready));
    await eventually('two notifications', () => mailsWith('X-Gatepost-Notification:').length >= 2);
    for (const { rcptTo, bytes } of mailsWith('X-Gatepost-Notification:')) {
      expect(rcptTo.join()).toContain('security@example.org');
      expect(bytes.toString()).toContain('Test.Marker');
    }
  });

  it('health pages answer, and the nodes are listed', async () => {
    for (const { pages } of [...topology.gateways, ...topology.workers])
      expect([await page(pages, '/healthz'), await page(pages, '/readyz')]).toEqual([200, 200]);
    const listed = await nodes();
    expect(listed.map(({ name, roles, state }) => [name, roles.join(), state])).toEqual([
      ['gateway1', 'gateway', 'running'],
      ['gateway2', 'gateway', 'running'],
      ['worker1', 'worker', 'running'],
      ['worker2', 'worker', 'running'],
    ]);
    expect(listed.filter(({ control }) => control)).toHaveLength(1);
    expect(listed.map(({ port }) => port)).toEqual([...topology.gateways.map(({ port }) => port), 0, 0]);
    expect(new Set(listed.map(({ rules }) => rules)).size).toBe(1);
    const { stdout } = await command(topology.workers[0], 'status', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ node: { name: 'worker1', roles: ['worker'] } });
  });

  it('workers come and go, also on the configuration of a gateway; a second gateway of a name is refused', async () => {
    const [gateway] = topology.gateways;
    if (gateway === undefined) throw new Error('there is no gateway');
    const worker = spawnGateway(gateway.site, ENVIRONMENT, ['--role', 'worker']);
    const config = await readFile(gateway.site.config, 'utf8');
    const other = await makeSite(config.replace(/^http: .*$/m, ''));
    const second = spawnGateway(other, ENVIRONMENT, ['--role=gateway,worker']);
    const refused = expect(second.ready).rejects.toThrow(
      /A node named gateway1 runs already.*Set another `node\.name`/s,
    );
    try {
      await worker.ready;
      const { nodes: known } = topology.store.store;
      const entry = async () => (await known.list()).find(({ name }) => name === 'gateway1-worker');
      expect((await entry())?.stopped).toBeUndefined();
      expect(await worker.stop()).toBe(0);
      expect((await entry())?.stopped).toBeInstanceOf(Date);
      await refused;
      const removed = await command(gateway, 'nodes', 'remove', 'gateway1-worker');
      expect([removed.status, removed.stdout]).toEqual([0, 'gateway1-worker is forgotten.\n']);
      expect(await entry()).toBeUndefined();
      const running = await command(gateway, 'nodes', 'remove', 'gateway2', '--json');
      expect([running.status, JSON.parse(running.stdout)]).toEqual([1, { name: 'gateway2', result: 'running' }]);
      // Another one than it is now, which takes over by itself.
      const next = (await known.control())?.name === 'worker2' ? 'worker1' : 'worker2';
      expect((await command(gateway, 'nodes', 'control', next)).status).toBe(0);
      await eventually('the chosen control node', async () => (await known.control())?.name === next);
      expect((await command(gateway, 'nodes', 'control')).status).toBe(0);
      expect((await known.control())?.preferred).toBeUndefined();
    } finally {
      await worker.kill();
      await second.kill();
      await other.remove();
    }
  });

  it('a worker that dies is not missed by the mail, and an engine that dies is told in one mail', async () => {
    await topology.workers[1]?.process.kill();
    const before = mailsWith('X-Gatepost-Notification:').length;
    expect(await send(topology.balancer.port, MARKER, 'infected 3')).toMatch(/^5\d\d /);
    await eventually('the notification', () => mailsWith('X-Gatepost-Notification:').length > before);
    await clamd.dispose();
    await eventually('the mail about it', () => mailsWith('X-Gatepost-Event: detector-unavailable').length > 0);
    // Both gateways have seen it.
    await eventually(
      'the events of both',
      async () =>
        (await topology.store.store.events.active()).filter(({ event }) => event === 'detector-unavailable').length ===
        2,
    );
    expect(await send(topology.balancer.port, 'Good evening.', 'clean 5')).toMatch(/^451 /);
    expect(mailsWith('X-Gatepost-Event:')).toHaveLength(1);
    expect(mailsWith('X-Gatepost-Notification:')).toHaveLength(before + 1);
  });
});
