import { afterEach, describe, expect, it } from 'vitest';
import { sendMail } from '../../src/cli/demo/smtp-client.js';
import { startFakeSmtp, type FakeSmtp } from '../support/fake-smtp.js';
import { makeSite, runGatepost, startGatewayProcess, type RunningGateway, type Site } from '../support/gateway.js';
import { makeMail } from '../support/mail.js';
import { redisMissing, startRedis, type TestRedis } from '../support/redis.js';
import { until } from '../support/until.js';
import { freePort } from '../support/free-port.js';

const MESSAGES = 200;
const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function siteWith(port: number, notifications = '', more = ''): Promise<Site> {
  const site = await makeSite(
    `smtp: { listen: ["127.0.0.1:0"] }
domains: [example.org]
delivery: { nextHop: "smtp://127.0.0.1:${port}?tls=off", retry: { delays: [1s, 2s] } }
notifications: { general: [security@example.org]${notifications === '' ? '' : `, ${notifications}`} }
${more}`,
    {
      'rules/50-all.yaml':
        'rules:\n  - id: all\n    name: All\n    match: { recipient: ["*@example.org"] }\n    on:\n      content:\n        - { id: any, name: Any subject, when: { subject: "*tell*" }, notify: [general] }\n',
    },
  );
  closing.push(() => site.remove());
  return site;
}

async function started(site: Site): Promise<RunningGateway> {
  const gateway = await startGatewayProcess(site);
  closing.push(async () => gateway.process.exitCode ?? (await gateway.stop()));
  return gateway;
}

async function startHop(port: number): Promise<FakeSmtp> {
  const hop = await startFakeSmtp({ port });
  closing.push(() => hop.close());
  return hop;
}

const send = (gateway: RunningGateway, n: number, subject = `number ${n}`): Promise<string> =>
  sendMail('127.0.0.1', gateway.port, {
    sender: 'a@partner.example',
    recipients: ['b@example.org'],
    bytes: makeMail(`text ${n}`, [], subject),
  });

/** How often each numbered message arrived. */
function arrivals(hop: FakeSmtp): Map<number, number> {
  const counts = new Map<number, number>();
  for (const mail of hop.mails) {
    const n = /^Subject: number (\d+)\r$/m.exec(mail.bytes.toString('latin1'))?.[1];
    if (n !== undefined) counts.set(Number(n), (counts.get(Number(n)) ?? 0) + 1);
  }
  return counts;
}

describe('the next hop is down', () => {
  it(`${MESSAGES} messages are acknowledged, the gateway is killed and started again, and all arrive once`, async () => {
    const port = await freePort();
    const site = await siteWith(port);
    const first = await started(site);
    const replies: string[] = [];
    for (let n = 0; n < MESSAGES; n += 20)
      replies.push(...(await Promise.all(Array.from({ length: 20 }, (_, i) => send(first, n + i)))));
    expect(replies.filter((r) => !r.startsWith('250 '))).toEqual([]);
    const listed: unknown = JSON.parse(
      (await runGatepost(['queue', 'list', '--json', '--config', site.config])).stdout,
    );
    expect(listed).toHaveLength(MESSAGES);
    await first.kill();

    await started(site);
    const hop = await startHop(port);
    await until('all messages', () => Promise.resolve(arrivals(hop).size === MESSAGES));
    await until(
      'an empty spool',
      async () => (await runGatepost(['queue', 'list', '--json', '--config', site.config])).stdout.trim() === '[]',
    );
    expect([...arrivals(hop).values()].filter((count) => count !== 1)).toEqual([]);
  });
});

describe.skipIf(redisMissing)('the job queue is down', () => {
  const notified = (hop: FakeSmtp, id: string): number =>
    hop.mails.filter((m) => m.bytes.includes(`X-Gatepost-Notification: ${id}`)).length;
  const idOf = (reply: string): string => /queued as (\w+)/.exec(reply)?.[1] ?? 'none';

  async function redis(): Promise<TestRedis> {
    const server = await startRedis(['--maxmemory-policy', 'noeviction']);
    closing.push(() => server.dispose());
    return server;
  }

  async function sentOnce(hop: FakeSmtp, id: string, site: Site): Promise<void> {
    await until('the notification', () => Promise.resolve(notified(hop, id) > 0));
    // Settled in the ledger: nothing is left that could send it again.
    await until('the ledger', async () =>
      (await runGatepost(['trace', id, '--json', '--config', site.config])).stdout.includes('"state": "sent"'),
    );
    expect(notified(hop, id)).toBe(1);
  }

  it('mail flows, and the notification comes when Redis is back', async () => {
    const queue = await redis();
    const hop = await startHop(await freePort());
    const site = await siteWith(hop.port, '', `queue: ${queue.url}\n`);
    const gateway = await started(site);
    await queue.stop();
    for (let n = 0; n < 5; n++) expect(await send(gateway, n)).toMatch(/^250 /);
    expect(arrivals(hop).size).toBe(5);
    const id = idOf(await send(gateway, 99, 'please tell'));
    expect(notified(hop, id)).toBe(0);
    await queue.start();
    await sentOnce(hop, id, site);
  });

  it('also when it held the job and comes back empty', async () => {
    const queue = await redis();
    const hop = await startHop(await freePort());
    const smarthost = await freePort();
    const site = await siteWith(
      hop.port,
      `server: "smtp://127.0.0.1:${smarthost}?tls=off", retry: { delays: [1h] }`,
      `queue: ${queue.url}\n`,
    );
    const gateway = await started(site);
    const id = idOf(await send(gateway, 1, 'please tell'));
    await until('a first attempt', async () =>
      (await runGatepost(['trace', id, '--json', '--config', site.config])).stdout.includes('"attempts": 1'),
    );
    await queue.stop();
    const server = await startHop(smarthost);
    await queue.start();
    await sentOnce(server, id, site);
  });

  it('a gateway starts and takes mail while Redis is down', async () => {
    const queue = await redis();
    await queue.stop();
    const hop = await startHop(await freePort());
    const site = await siteWith(hop.port, '', `queue: ${queue.url}\n`);
    const gateway = await started(site);
    const id = idOf(await send(gateway, 7, 'please tell'));
    await queue.start();
    await sentOnce(hop, id, site);
  });
});
