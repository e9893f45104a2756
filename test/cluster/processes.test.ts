import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { askProcesses } from '../../src/cli/status-processes.js';
import { sendMail } from '../../src/cli/demo/smtp-client.js';
import { addToSpool } from '../support/spool.js';
import { contentOf, memorySource } from '../../src/message/source.js';
import { NotRunningError } from '../../src/gateway/control/socket.js';
import { newTraceId } from '../../src/message/trace-id.js';
import { makeSite, runGatepost, spawnGateway, type Site, type SpawnedGateway } from '../support/gateway.js';
import { Client, TLS_FOLDER } from '../smtp/harness.js';
import { makeMail } from '../support/mail.js';
import { openToOthers } from '../support/modes.js';
import { has } from '../support/programs.js';
import { startUnderManager } from '../support/service-manager.js';
import { until } from '../support/until.js';

const statusOf = z.object({
  mail: z.object({ received: z.number() }),
  processes: z.array(
    z.object({
      process: z.number(),
      node: z.object({ name: z.string(), pid: z.number() }),
      mail: z.object({ received: z.number() }),
      rules: z.object({ count: z.number(), reloads: z.number(), waiting: z.array(z.string()) }),
    }),
  ),
});
const pagesOf = z.object({ msg: z.literal('ready'), pages: z.array(z.object({ port: z.number() })) });

const RULE = (id: string): string => `rules:
  - id: ${id}
    name: ${id}
    match: { recipient: ["*@example.org"] }
`;

describe('several processes of one gateway', () => {
  let site: Site;
  let gateway: SpawnedGateway | undefined;

  async function configure(processes: number, smtp = ''): Promise<void> {
    await writeFile(
      site.config,
      `node: { name: gw }
smtp: { listen: ["127.0.0.1:0"], processes: ${processes}, ${smtp} timeouts: { stop: 5s } }
http: { listen: ["127.0.0.1:0"] }
scan: { threads: 1 }
domains: [example.org]
delivery: { nextHop: "maildir:./inbox" }
`,
    );
  }

  async function send(port: number, subject: string): Promise<string> {
    return await sendMail('127.0.0.1', port, {
      sender: 'a@partner.example',
      recipients: ['b@example.org'],
      bytes: makeMail(subject),
    });
  }

  /** What `gatepost status` shows, without a process for each look. */
  async function status(): Promise<z.output<typeof statusOf> | undefined> {
    const answer = await askProcesses(path.join(site.folder, 'data')).catch((error: unknown) => {
      if (error instanceof NotRunningError) return undefined;
      throw error;
    });
    const parsed = statusOf.safeParse(answer);
    return parsed.success ? parsed.data : undefined;
  }

  afterEach(async () => {
    await gateway?.kill();
    await site.remove();
  });

  it('shares a port, outlives the death of a process, and goes back to one with nothing left lying', async () => {
    site = await makeSite('', { 'rules/10-a.yaml': RULE('first') });
    await configure(2);
    gateway = spawnGateway(site);
    const port = await gateway.ready;

    const texts = Array.from({ length: 6 }, (_, i) => `mail number ${i} of the first six`);
    for (const text of texts) expect(await send(port, text)).toMatch(/^250/);
    const before = await status();
    expect(before?.mail.received).toBe(6);
    expect(before?.processes.map(({ process, node }) => [process, node.name])).toEqual([
      [1, 'gw'],
      [2, 'gw-2'],
    ]);

    expect(await openToOthers(path.join(site.folder, 'data'))).toEqual([]);

    // One page for all of them.
    const { pages } = z.parse(pagesOf, JSON.parse(gateway.log.find((line) => line.includes('"ready"')) ?? ''));
    const page = async (name: string): Promise<string> =>
      await (await fetch(`http://127.0.0.1:${pages[0]?.port ?? 0}${name}`)).text();
    expect(await page('/readyz')).toBe('ready\n');
    const metrics = await page('/metrics');
    const sessions = [...metrics.matchAll(/^gatepost_sessions_total\{process="([12])"\} (\d+)$/gm)];
    expect(sessions.map(([, process]) => process)).toEqual(['1', '2']);
    expect(sessions.reduce((sum, [, , count]) => sum + Number(count), 0)).toBe(6);
    expect(metrics.match(/^# TYPE gatepost_sessions_total /gm)).toHaveLength(1);

    // Changed rules reach both.
    await writeFile(path.join(site.folder, 'rules/20-b.yaml'), RULE('second'));
    gateway.process.kill('SIGHUP');
    const reloaded = await until('the rules in both', async () => {
      const now = await status();
      return now?.processes.every(({ rules }) => rules.count === 2) === true ? now : undefined;
    });

    // A process dies under load: what was acknowledged is there, and the process comes back.
    const victim = reloaded.processes[1]?.node.pid ?? 0;
    const acknowledged: string[] = [];
    const load = Array.from({ length: 4 }, async (_, sender) => {
      for (let i = 0; i < 8; i++) {
        const text = `mail ${i} of sender ${sender} under load`;
        // The sessions of the process that dies are reset: their clients know nothing, and would try again.
        const reply = await send(port, text).catch((error: unknown) => String(error));
        if (reply.startsWith('250')) acknowledged.push(text);
        if (sender === 0 && i === 2) process.kill(victim, 'SIGKILL');
      }
    });
    await Promise.all(load);
    const back = await until('the process to come back', async () => {
      const pid = (await status())?.processes[1]?.node.pid;
      return pid !== undefined && pid !== victim ? pid : undefined;
    });
    expect(back).not.toBe(victim);
    expect(gateway.log.join('\n')).toMatch(/"how":"SIGKILL".*a process has ended: it is started again/);
    const told = async (): Promise<boolean> =>
      (await site.inbox()).some((mail) => mail.toString().includes('Process 2 of the gateway ended (SIGKILL)'));
    await until('the notice to the admins', told);
    const arrived = async (): Promise<string> => (await site.inbox()).map((mail) => mail.toString()).join('\n');
    expect(acknowledged.length).toBeGreaterThan(20);
    await until('all that was acknowledged', async () => {
      const all = await arrived();
      return [...texts, ...acknowledged].every((text) => all.includes(text));
    });

    expect(await gateway.stop()).toBe(0);
    expect(gateway.log.filter((line) => line.includes('"stopped"'))).toHaveLength(3);

    // Back to one process: what lies in the spool of another is delivered, and its folder is gone.
    const left = path.join(site.folder, 'data', 'processes', '3');
    await mkdir(left, { recursive: true });
    const traceId = newTraceId();
    await addToSpool(path.join(left, 'spool'), {
      item: traceId,
      traceId,
      envelope: {
        sender: 'a@partner.example',
        recipients: [{ address: 'b@example.org' }],
        client: '192.0.2.1',
        helo: 'partner.example',
        tls: false,
        trusted: false,
        smtpUtf8: false,
        eightBit: false,
      },
      content: contentOf(memorySource([makeMail('left behind by the third process')])),
      eightBit: false,
      bounce: 'never',
    });
    const listed = await runGatepost(['queue', 'list', '--json', '--config', site.config]);
    expect(listed.stdout).toContain(traceId);
    await configure(1);
    gateway = spawnGateway(site);
    expect(await send(await gateway.ready, 'to the one process')).toMatch(/^250/);
    await until('the mail of the third process', async () =>
      (await arrived()).includes('left behind by the third process'),
    );
    expect((await readdir(path.join(site.folder, 'data', 'processes'))).filter((name) => name !== '1')).toEqual([]);
    await until('its nodes to be forgotten', async () => {
      const { stdout } = await runGatepost(['nodes', '--json', '--config', site.config]);
      return !stdout.includes('gw-2');
    });
  });

  it('tells of changed settings that wait for a restart of the process above, which takes over at once how much is logged', async () => {
    site = await makeSite('');
    await configure(2);
    gateway = spawnGateway(site);
    const { process: above, log } = gateway;
    await gateway.ready;
    const text = await readFile(site.config, 'utf8');
    await writeFile(
      site.config,
      `${text.replace(/^http: .*$/m, 'http: { listen: ["127.0.0.1:1"] }')}log: { level: debug }\n`,
    );
    await until('word of it from both', async () => {
      const now = await status();
      return now?.processes.every(({ rules }) => rules.waiting.join() === 'http.listen');
    });
    await until('more of the log', () => {
      above.kill('SIGHUP');
      return Promise.resolve(log.some((line) => line.includes('the processes are to load the settings anew')));
    });
  });

  it.skipIf(!has('perl'))(
    'shares a socket of a service manager, with TLS and the PROXY protocol; all end with the one above, and come back',
    async () => {
      site = await makeSite('');
      const tls = ['cert', 'key'].map((name) => `${name}: "${path.join(TLS_FOLDER, `${name}.pem`)}"`).join(', ');
      await configure(
        2,
        `tls: { ${tls} }, proxyProtocol: ["127.0.0.1"], hostname: mx.example.org, maxConnectionsPerClient: 2,`,
      );
      const manager = startUnderManager(site.config);
      try {
        await until('the first start', () => Promise.resolve(manager.starts === 1));
        const secure = async (from: string, text: string): Promise<string> => {
          const client = await Client.connect(manager.port);
          client.write(`PROXY TCP4 ${from} 127.0.0.1 4711 25\r\n`);
          await client.hello();
          await client.command('STARTTLS');
          await client.startTls();
          await client.command('EHLO client.example.net');
          const reply = await client.send(makeMail(text));
          client.destroy();
          return reply;
        };
        const texts = Array.from({ length: 8 }, (_, i) => `over TLS ${i}`);
        // More clients at the same time than the balancer may have connections: they are told apart.
        const replies = await Promise.all(texts.map(async (text, i) => await secure(`192.0.2.${i + 1}`, text)));
        expect(replies.filter((reply) => !reply.startsWith('250'))).toEqual([]);
        const both = await status();
        expect(both?.mail.received).toBe(8);
        const arrived = (await site.inbox()).map((mail) => mail.toString());
        expect(arrived).toHaveLength(8);
        for (const [i, text] of texts.entries()) {
          const mail = arrived.find((each) => each.includes(`${text}\r\n`));
          expect(mail).toContain(`[192.0.2.${i + 1}]`);
          expect(mail).toMatch(/with ESMTPS/);
        }
        // Without the line nobody gets in, by whichever process.
        const bare = await Client.connect(manager.port);
        bare.write('EHLO client.example.net\r\n');
        expect(await bare.closed()).not.toContain('250');

        const pids = both?.processes.map(({ node }) => node.pid) ?? [];
        expect(pids).toHaveLength(2);
        process.kill(manager.child, 'SIGKILL');
        await until('the end of both', async () => (await Promise.all(pids.map(isGone))).every(Boolean));
        // Nobody is refused meanwhile: the socket is the manager's.
        expect(await secure('192.0.2.9', 'after that')).toMatch(/^250/);
        expect(manager.starts).toBeGreaterThan(0);
      } finally {
        await manager.stop();
      }
    },
    120_000,
  );
});

async function isGone(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  return stat === undefined || /\) [ZX] /.test(stat);
}
