import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import path from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { simpleParser } from 'mailparser';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { sendMail } from '../../src/cli/demo/smtp-client.js';
import { PROGRAM_FOLDER } from '../../src/config/load.js';
import { payloadSchema, type WebhookPayload } from '../../src/notifications/webhooks/payload.js';
import { Client } from '../smtp/harness.js';
import { startFakeSmtp, type FakeSmtp } from '../support/fake-smtp.js';
import { makeSite, runGatepost, startGatewayProcess, type RunningGateway, type Site } from '../support/gateway.js';
import { makeMail } from '../support/mail.js';
import { until } from '../support/until.js';

const RULES = `rules:
  - id: watched
    name: Watched
    match: { recipient: ["*@example.org"] }
    on:
      content:
        - id: all
          name: Everything
          when: { subject: "*tell*" }
          action: reject
          quarantine: true
          notify: [general, recipients]
`;
const SECRET = 'k3y-of-the-hook';

interface Call {
  readonly payload: WebhookPayload;
  readonly genuine: boolean;
}

let receiver: Server;
let answer = 204;
const calls: Call[] = [];
/** What is not as the schema of the documentation says. */
const invalid: unknown[] = [];
const isDocumented = new Ajv2020({ strict: false, validateFormats: false }).compile(
  JSON.parse(readFileSync(path.join(PROGRAM_FOLDER, 'docs/reference/webhook.schema.json'), 'utf8')),
);
let server: FakeSmtp;
let site: Site;
let gateway: RunningGateway;

const notificationShape = z.array(
  z.looseObject({
    id: z.string(),
    kind: z.string(),
    traceId: z.string().nullable(),
    to: z.string(),
    template: z.string(),
    state: z.string(),
    attempts: z.number(),
    messageId: z.string(),
    lastReply: z.string().nullable(),
  }),
);
const run = async (...args: string[]) => await runGatepost([...args, '--config', site.config]);
const list = async (...args: string[]) =>
  notificationShape.parse(JSON.parse((await run('notifications', 'list', '--json', ...args)).stdout));
const idIn = (reply: string): string => /\b[0-7][0-9A-HJKMNP-TV-Z]{25}\b/.exec(reply)?.[0] ?? '';
const send = async (subject: string): Promise<string> =>
  await sendMail('127.0.0.1', gateway.port, {
    sender: 'a@partner.example',
    recipients: ['bob@example.org', 'carol@example.org'],
    bytes: makeMail('text', [], subject),
  });

beforeAll(async () => {
  receiver = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      const [, t = '', v1 = ''] =
        /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(request.headers['x-gatepost-signature'])) ?? [];
      const genuine = createHmac('sha256', SECRET).update(`${t}.${body}`).digest('hex') === v1;
      if (!isDocumented(JSON.parse(body))) invalid.push({ body, errors: isDocumented.errors });
      calls.push({ payload: payloadSchema.parse(JSON.parse(body)), genuine });
      response.writeHead(answer).end();
    });
  });
  await new Promise<void>((resolve) => {
    receiver.listen(0, '127.0.0.1', resolve);
  });
  const address = receiver.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  server = await startFakeSmtp();
  site = await makeSite(
    `smtp: { listen: ["127.0.0.1:0"] }
domains: [example.org]
health: 1s
node: { name: gw1 }
delivery: { nextHop: "maildir:./inbox" }
notifications:
  server: "${server.url}?tls=off"
  general: [security@example.org]
  retry: { delays: [1s], lifetime: 1h }
  events: { changeInterval: 1s }
  notices: { to: [], protocol: true }
  webhooks: [ { url: "http://user:pa55word@127.0.0.1:${port}/hook?token=t0ken", secret: ${SECRET}, timeout: 2s } ]
`,
    { 'rules/10.yaml': RULES },
  );
  gateway = await startGatewayProcess(site);
});

afterAll(async () => {
  await gateway.stop();
  await server.close();
  receiver.closeAllConnections();
  receiver.close();
  await site.remove();
});

describe('a gateway with a webhook', () => {
  it('tells it once of a message, again after failures with the same id, and hides what is secret', async () => {
    answer = 503;
    const id = idIn(await send('tell one'));
    const first = await until('a call', () => Promise.resolve(calls[0]));
    expect(first.genuine).toBe(true);
    expect(first.payload).toMatchObject({ version: 1, kind: 'rule', traceId: id, node: 'gw1', severity: 'warning' });
    expect(first.payload.kind === 'rule' && first.payload.message.affectedRecipients).toHaveLength(2);
    answer = 200;
    await until('the second attempt', async () => {
      const rows = await list('--to', 'http*', '--state', 'sent');
      return rows.length === 1 && rows[0]?.traceId === id && rows[0].template === 'webhook';
    });
    expect(calls.length).toBeGreaterThan(1);
    expect(new Set(calls.map(({ payload }) => payload.id)).size).toBe(1);
    const everything = gateway.log.join('\n') + (await run('notifications', 'list')).stdout;
    expect(everything).not.toMatch(/pa55word|t0ken|k3y-of/);
  });

  it('a refused one fails at once, raises the event, and is told again by hand', async () => {
    answer = 410;
    const id = idIn(await send('tell two'));
    const failed = await until('the failure', async () => (await list('--trace-id', id, '--state', 'failed'))[0]);
    expect(failed).toMatchObject({ attempts: 1, reason: 'refused by the receiver', lastReply: 'HTTP 410 Gone' });
    const events = await until('the event', async () => {
      const { stdout } = await run('events', '--json');
      return stdout.includes('notification-undeliverable') ? stdout : undefined;
    });
    expect(events).not.toMatch(/pa55word|t0ken/);
    answer = 200;
    expect((await run('notifications', 'retry', failed.id)).status).toBe(0);
    await until('the retry', async () => (await list('--trace-id', id, '--to', 'http*'))[0]?.state === 'sent');
    const shown = JSON.parse((await run('notifications', 'show', failed.id, '--json')).stdout) as unknown;
    expect(shown).toMatchObject({
      state: 'sent',
      attempts: 2,
      reopened: [{ was: 'failed', lastReply: 'HTTP 410 Gone' }],
    });
    expect((await run('notifications', 'retry', failed.id)).status).toBe(1);
    await until('the event of its end', () =>
      Promise.resolve(gateway.log.some((line) => line.includes('webhook told'))),
    );
    // What it could not be told is not told to itself.
    expect(calls.some(({ payload }) => payload.kind === 'event' && payload.subject.startsWith('http'))).toBe(false);
  });

  it('a mail that was refused is sent again by hand, with the same Message-ID', async () => {
    server.script = { rcpt: '550 5.7.1 not today' };
    const id = idIn(await send('tell three'));
    const failed = await until('the failure', async () => {
      const rows = await list('--trace-id', id, '--state', 'failed', '--to', 'security@*');
      return rows[0];
    });
    expect(failed.lastReply).toContain('not today');
    const event = await until('the event by webhook', () =>
      Promise.resolve(
        calls.find(({ payload }) => payload.kind === 'event' && payload.event === 'notification-undeliverable'),
      ),
    );
    expect(event.payload).toMatchObject({ traceId: null, change: 'raised', group: 'gateway', severity: 'error' });
    server.script = {};
    expect((await run('notifications', 'retry', `<${failed.messageId}>`)).status).toBe(0);
    const again = await until('the mail', async () => {
      for (const { bytes } of server.mails) {
        const mail = await simpleParser(bytes);
        if (mail.messageId === `<${failed.messageId}>`) return mail;
      }
      return undefined;
    });
    expect(again.headers.get('x-gatepost-notification')).toBe(id);
    await until('the ledger', async () => (await list('--trace-id', id, '--to', 'security@*'))[0]?.state === 'sent');
    expect((await run('notifications', 'retry', failed.id)).stdout).toContain('--again');
    expect((await run('notifications', 'retry', failed.id, '--again')).status).toBe(0);
  });

  it('the story is found by every ID, and the unique ID is the same in all places', async () => {
    const reply = await send('tell four');
    const id = idIn(reply);
    const rows = await until('all sent', async () => {
      const all = await list('--trace-id', id);
      return all.length === 4 && all.every(({ state }) => state === 'sent') ? all : undefined;
    });
    const whole = z.looseObject({ id: z.string(), notifications: z.array(z.looseObject({ id: z.string() })) });
    const notice = rows.find(({ to }) => to === 'security@example.org');
    for (const wanted of [id, `${id}.1`, `<${notice?.messageId ?? ''}>`, notice?.id ?? '']) {
      const story = whole.parse(JSON.parse((await run('trace', wanted, '--json')).stdout));
      expect([wanted, story.id, story.notifications.length]).toEqual([wanted, id, 4]);
    }
    const text = (await run('trace', notice?.messageId ?? '')).stdout;
    for (const part of [id, 'security@example.org', 'webhook', 'Decision for', 'stored']) expect(text).toContain(part);
    const bodies = await Promise.all(server.mails.map(async ({ bytes }) => await simpleParser(bytes)));
    const mail = bodies.find((each) => each.messageId === `<${notice?.messageId ?? ''}>`);
    expect(mail?.text).toContain(id);
    expect(mail?.headers.get('x-gatepost-notification')).toBe(id);
    expect((await run('quarantine', 'list', '--json')).stdout).toContain(id);
    expect(gateway.log.join('\n')).toContain(id);
    expect(calls.some(({ payload }) => payload.traceId === id)).toBe(true);
    const event = (await list('--kind', 'event')).find(({ template }) => template !== 'webhook');
    if (event === undefined) throw new Error('no mail about events');
    const story = (await run('trace', `<${event.messageId}>`)).stdout;
    expect(story).toContain('notification-undeliverable');
    expect((await run('trace', 'nobody@knows.example')).status).toBe(1);
  });

  it('a notice to the admins is told too, also when no admin gets a mail; all is as the shipped schema says', async () => {
    const about = calls.length;
    const client = await Client.connect(gateway.port);
    await client.hello();
    expect(await client.command('NOTHING "at" <all>')).toMatch(/^500/);
    client.destroy();
    const notice = await until('the notice', () =>
      Promise.resolve(calls.slice(about).find(({ payload }) => payload.kind === 'notice')),
    );
    expect(notice.genuine).toBe(true);
    expect(notice.payload).toMatchObject({ kind: 'notice', class: 'protocol', node: 'gw1', severity: 'warning' });
    expect(new Set(calls.map(({ payload }) => payload.kind))).toEqual(new Set(['rule', 'event', 'notice']));
    expect(invalid).toEqual([]);
    expect(calls.filter(({ genuine }) => !genuine)).toEqual([]);
  });

  it('wrong use is told', async () => {
    expect((await run('notifications', 'list', '--state', 'lost')).status).toBe(2);
    expect((await run('notifications', 'retry', 'n0')).status).toBe(1);
  });
});
