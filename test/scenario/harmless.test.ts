import { mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { events } from '../../src/cli/events.js';
import { listNodes } from '../../src/cli/nodes.js';
import { listNotifications, showNotification } from '../../src/cli/notifications.js';
import { listQuarantine } from '../../src/cli/quarantine-list.js';
import { showQuarantine } from '../../src/cli/quarantine.js';
import { showQueue } from '../../src/cli/queue-show.js';
import { listQueue } from '../../src/cli/queue.js';
import { status } from '../../src/cli/status.js';
import { trace } from '../../src/cli/trace.js';
import { hasActing } from '../../src/config/acting-characters.js';
import { Client } from '../smtp/harness.js';
import { startFakeSmtp } from '../support/fake-smtp.js';
import { makeSite, runGatepost, startGatewayProcess, type RunningGateway, type Site } from '../support/gateway.js';
import { printedBy } from '../support/in-process.js';
import { openToOthers } from '../support/modes.js';

/** What would clear a screen, set a title, and turn the direction of text; with C1 controls and a bell. */
const ACTS = 'x\x1b[2J\x1b]0;y\x07\x9b31m\u202egpj.exe\u2066';
const ADDRESS = 'ev\u202eil@partner.example';

const RULES = `rules:
  - { id: away, match: { sender: ["refused@*"] }, process: reject }
  - id: all
    name: "All mail \\u202e"
    match: { recipient: ["*@example.org", "*@dead.example"] }
    on:
      content:
        - { id: exe, when: { attachment.extension: exe }, action: deliver, quarantine: true, notify: { general: rule-general } }
`;

const closing: (() => Promise<unknown>)[] = [];
let site: Site;
let gateway: RunningGateway;
let id = '';

beforeAll(async () => {
  const hop = await startFakeSmtp({ script: { rcpt: `450 4.2.1 ${ACTS} later` } });
  const server = await startFakeSmtp({ script: { rcpt: `550 5.1.1 ${ACTS} nobody` } });
  site = await makeSite(
    `node: { name: gw1, comment: "rack \\e[2J\\u202e 2" }
domains: [example.org, dead.example]
trusted: []
smtp: { listen: ["127.0.0.1:0"] }
detectors: { content: {} }
delivery: { nextHop: "${hop.url}?tls=off" }
notifications: { general: [security@example.org], server: "${server.url}?tls=off" }
`,
    { 'rules/10-all.yaml': RULES },
  );
  closing.push(
    () => hop.close(),
    () => server.close(),
    () => site.remove(),
  );
  gateway = await startGatewayProcess(site);
  closing.push(() => gateway.stop());
  const name = encodeURIComponent(ACTS.replace('\x9b', '\u009b'));
  const mail = [
    `From: =?utf-8?B?${Buffer.from(ACTS).toString('base64')}?= <a@partner.example>`,
    `Subject: =?utf-8?B?${Buffer.from(ACTS).toString('base64')}?=`,
    'Message-ID: <\x1b[2J\u202e@partner.example>',
    'MIME-Version: 1.0',
    `Content-Type: application/octet-stream; name*=utf-8''${name}.exe`,
    'Content-Transfer-Encoding: base64',
    '',
    'TVo=',
    '',
  ].join('\r\n');
  await writeFile(path.join(site.folder, 'mail.eml'), mail);
  const client = await Client.connect(gateway.port);
  await client.reply();
  await client.command('EHLO na\u202eme');
  await client.command(`MAIL FROM:<${ADDRESS}> SMTPUTF8 BODY=8BITMIME`);
  await client.command('RCPT TO:<bob@example.org>');
  await client.command('DATA');
  client.write(`${mail}\r\n.\r\n`);
  const reply = await client.reply();
  id = /queued as (\w{26})/.exec(reply)?.[1] ?? reply;
});

afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

const listed = z.array(z.object({ id: z.string(), state: z.string(), lastReply: z.string().nullable() }));

async function failedNotification(): Promise<string> {
  const { stdout } = await printedBy(() => listNotifications({ config: site.config, json: true }));
  return listed.parse(JSON.parse(stdout)).find(({ state }) => state === 'failed')?.id ?? '';
}

describe('what a message and its servers say', () => {
  it('acts on no terminal, whichever command shows it', async () => {
    await expect.poll(failedNotification).not.toBe('');
    const notification = await failedNotification();
    await expect
      .poll(async () => (await printedBy(() => events({ config: site.config }))).stdout)
      .toContain('notification-undeliverable');
    const { config } = site;
    const commands = {
      'queue list': (json: boolean) => listQueue({ config, json }),
      'queue show': (json: boolean) => showQueue(id, { config, json }),
      'quarantine list': (json: boolean) => listQuarantine({ config, json }),
      'quarantine show': (json: boolean) => showQuarantine(id, { config, json }),
      trace: (json: boolean) => trace(id, { config, json }),
      'notifications list': (json: boolean) => listNotifications({ config, json }),
      'notifications show': (json: boolean) => showNotification(notification, { config, json }),
      events: (json: boolean) => events({ config, json, all: true }),
      nodes: (json: boolean) => listNodes({ config, json }),
      status: (json: boolean) => status({ config, json }),
    };
    for (const [name, run] of Object.entries(commands)) {
      const { stdout, stderr, error } = await printedBy(() => run(false));
      expect({ name, error, stderr, shown: stdout.length > 50, acts: hasActing(stdout) }).toEqual({
        ...{ name, error: '', stderr: '', shown: true, acts: false },
      });
      const json = await printedBy(() => run(true));
      expect({ name, acts: hasActing(json.stdout), isJson: typeof JSON.parse(json.stdout) }).toEqual({
        ...{ name, acts: false, isJson: 'object' },
      });
    }
    const shown = await printedBy(() => trace(id, { config, json: true }));
    expect(JSON.parse(shown.stdout)).toMatchObject({
      sender: ADDRESS,
      subject: expect.stringContaining('\u202e') as unknown,
    });
  });

  it('nor in explain, nor in the log', async () => {
    const mail = path.join(site.folder, 'mail.eml');
    const args = [
      'explain',
      mail,
      '--sender',
      ADDRESS,
      '--recipient',
      'bob@example.org',
      '--render',
      '--config',
      site.config,
    ];
    const { stdout, status: exit } = await runGatepost(args);
    expect({ exit, acts: hasActing(stdout), shown: stdout.includes('gpj.exe') }).toEqual({
      exit: 0,
      acts: false,
      shown: true,
    });
    const log = gateway.log.join('\n');
    expect(hasActing(log)).toBe(false);
    expect(log).toContain('na\\u202eme');
  });
});

it('a refused message of a stranger names twenty recipients in the log, and counts the rest', async () => {
  const client = await Client.connect(gateway.port);
  await client.hello();
  const recipients = Array.from({ length: 25 }, (_, i) => `b${i}@example.org`);
  expect(await client.send('x', recipients, 'refused@partner.example')).toMatch(/^550 /);
  const lines = (): string[] => gateway.log.filter((line) => line.includes('refused@partner.example'));
  await expect.poll(() => lines().length).toBe(1);
  const refused = z.object({ msg: z.string(), recipients: z.array(z.string()), recipientCount: z.number() });
  const { msg, recipients: named, recipientCount } = refused.parse(JSON.parse(lines()[0] ?? ''));
  expect([msg, named, recipientCount]).toEqual(['message', recipients.slice(0, 20), 25]);
});

describe('the data folder', () => {
  it('has nothing that other users can read, and nothing that a kill left half-written once the gateway is back', async () => {
    const data = path.join(site.folder, 'data');
    expect((await readdir(data)).length).toBeGreaterThan(5);
    expect(await openToOthers(data)).toEqual([]);
    await gateway.kill();
    await mkdir(path.join(data, 'directory'), { recursive: true });
    const left = [
      'copy.key',
      'node-id',
      'events.json',
      'control/place.json',
      'last-good/current',
      'directory/all.json',
    ];
    for (const name of left) await writeFile(path.join(data, `${name}.0123456789ab.tmp`), 'half');
    const kept = path.join(data, 'notes.tmp');
    await writeFile(kept, 'not ours');
    gateway = await startGatewayProcess(site);
    const files = await readdir(data, { recursive: true });
    expect(files.filter((name) => name.endsWith('.tmp'))).toEqual(['notes.tmp']);
  });
});
