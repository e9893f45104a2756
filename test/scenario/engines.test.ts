import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { sendMail } from '../../src/cli/demo/smtp-client.js';
import { FAKE_THREATS, startFakeClamd, type FakeClamd } from '../support/fake-clamd.js';
import { makeSite, runGatepost, startGatewayProcess, type RunningGateway, type Site } from '../support/gateway.js';
import { makeMail } from '../support/mail.js';
import { until } from '../support/until.js';

const CONFIG = `smtp: { listen: ["127.0.0.1:0"] }
domains: [example.org]
delivery: { nextHop: "maildir:./inbox" }
scan: { threads: 2, deadline: 4s }
health: 1s
`;

/** A third party's module that never comes back from one message; the other module waits a little, as engines do. */
const HANGING = `export default ({ z }) => ({
  settings: z.strictObject({ waits: z.boolean() }),
  statuses: [],
  waits: ({ waits }) => waits,
  create: ({ waits }) => ({
    async inspect({ message }) {
      if (waits) await new Promise((resolve) => setTimeout(resolve, 20));
      if (message.subject === 'hang') for (;;);
      return [];
    },
  }),
});
`;

const traced = z.object({
  modules: z.array(z.object({ module: z.string(), status: z.string(), milliseconds: z.number() })),
});

function sender(gateway: () => RunningGateway): (text: string, subject?: string) => Promise<string> {
  return async (text, subject) =>
    await sendMail('127.0.0.1', gateway().port, {
      sender: 'a@partner.example',
      recipients: ['b@example.org'],
      bytes: makeMail(text, [], subject),
    });
}

const idIn = (reply: string): string => /\b[0-7][0-9A-HJKMNP-TV-Z]{25}\b/.exec(reply)?.[0] ?? '';

describe('a gateway with clamd', () => {
  let clamd: FakeClamd;
  let site: Site;
  let gateway: RunningGateway;
  const send = sender(() => gateway);

  beforeAll(async () => {
    clamd = await startFakeClamd({ unix: true });
    site = await makeSite(`${CONFIG}detectors: { content: {}, antivirus: { clamd: "${clamd.address}" } }\n`);
    gateway = await startGatewayProcess(site);
  });

  afterAll(async () => {
    await gateway.stop();
    await clamd.close();
    await site.remove();
  });

  it('refuses what is infected, and keeps how long each module took', async () => {
    expect(await send('fine')).toMatch(/^250 /);
    const reply = await send(FAKE_THREATS['Fake.Worm'] ?? '');
    expect(reply).toMatch(/^55\d /);
    const entry = await until('the journal', async () => {
      const { status, stdout } = await runGatepost(['trace', idIn(reply), '--json', '--config', site.config]);
      return status === 0 ? traced.parse(JSON.parse(stdout)) : undefined;
    });
    expect(entry.modules.map(({ module, status }) => `${module}=${status}`)).toEqual([
      'content=clean',
      'antivirus=infected',
    ]);
    for (const { milliseconds } of entry.modules) expect(milliseconds).toBeGreaterThan(0);
  });

  it('defers mail while the engine is gone, and says in the log that it is gone and that it is back', async () => {
    const logged = (text: string): Promise<boolean> => Promise.resolve(gateway.log.some((line) => line.includes(text)));
    clamd.behaviour = { kind: 'say', text: 'nonsense' };
    expect(await send('fine')).toMatch(/^451 4\.7\.1 /);
    await until('the log', () => logged('the engine of a detector does not answer'));
    clamd.behaviour = { kind: 'scan' };
    await until('the log', () => logged('the engine of a detector answers again'));
    expect(await send('fine')).toMatch(/^250 /);
  });
});

describe.each([
  ['computes', false],
  ['waits', true],
])('a gateway with a module that %s', (_, waits) => {
  it('goes on with other mail while one message hangs', async () => {
    const site = await makeSite(
      `${CONFIG}detectors: { content: {}, hanging: { module: ./hanging.mjs, waits: ${String(waits)} } }\n`,
      { 'hanging.mjs': HANGING },
    );
    const gateway = await startGatewayProcess(site);
    const send = sender(() => gateway);
    try {
      const started = performance.now();
      let over = false;
      const hung = send('x', 'hang').finally(() => (over = true));
      const others = await Promise.all(Array.from({ length: 30 }, async () => await send('fine')));
      expect(others.map((reply) => reply.slice(0, 3))).toEqual(Array.from({ length: 30 }, () => '250'));
      expect(over).toBe(false);
      expect(await hung).toMatch(/^451 4\.7\.1 /);
      expect(performance.now() - started).toBeLessThan(15_000);
      expect(await send('fine')).toMatch(/^250 /);
    } finally {
      await gateway.stop();
      await site.remove();
    }
  });
});
