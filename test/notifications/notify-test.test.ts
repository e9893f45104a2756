import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { simpleParser } from 'mailparser';
import { z } from 'zod';
import { UsageError } from '../../src/cli/exit.js';
import { notifyTest } from '../../src/cli/notify-test.js';
import { PROGRAM_FOLDER } from '../../src/config/load.js';
import { startFakeSmtp, USUAL_EXTENSIONS, type FakeOptions, type FakeSmtp } from '../support/fake-smtp.js';
import { makeSite, type Site } from '../support/gateway.js';

const answerShape = z.object({
  sent: z.boolean(),
  dialogue: z.array(z.string()),
  reply: z.string(),
  advice: z.string().optional(),
});

let site: Site;
const servers: FakeSmtp[] = [];
beforeAll(async () => {
  site = await makeSite('');
});
afterEach(async () => {
  await Promise.all(servers.splice(0).map(async (server) => await server.close()));
});
afterAll(async () => {
  await site.remove();
});

async function serve(options: FakeOptions): Promise<FakeSmtp> {
  const server = await startFakeSmtp(options);
  servers.push(server);
  return server;
}

/** The command without a process of its own: what it prints, and its exit status. */
async function inProcess(args: readonly string[]): Promise<{ readonly stdout: string; readonly status: unknown }> {
  const [option, value] = args;
  const { out, status } = await captured(async () => {
    await notifyTest('me@example.org', {
      json: true,
      config: site.config,
      ...(option === '--kind' && value !== undefined ? { kind: value } : {}),
      ...(option === '--template' && value !== undefined ? { template: value } : {}),
    });
  });
  return { stdout: out, status };
}

async function captured(run: () => Promise<void>): Promise<{ readonly out: string; readonly status: unknown }> {
  let stdout = '';
  const before = process.exitCode;
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    stdout += String(chunk);
    return true;
  });
  try {
    await run();
    return { out: stdout, status: process.exitCode };
  } finally {
    write.mockRestore();
    process.exitCode = before;
  }
}

async function test(url: string, ...args: string[]): Promise<z.infer<typeof answerShape> & { readonly raw: string }> {
  await writeFile(site.config, `notifications: { server: "${url}" }\n`);
  const { stdout, status } = await inProcess(args);
  const answer = answerShape.parse(JSON.parse(stdout));
  expect(status).toBe(answer.sent ? 0 : 1);
  return { ...answer, raw: stdout };
}

describe('notify-test', () => {
  it('sends, and shows the dialogue without the password', async () => {
    const server = await serve({
      extensions: [...USUAL_EXTENSIONS, 'AUTH LOGIN'],
      script: {
        auth: (line) =>
          line === 'LOGIN' ? '334 VXNlcm5hbWU6' : line.startsWith('cGE1') ? '235 2.7.0 welcome' : '334 UGFzc3dvcmQ6',
      },
    });
    const answer = await test(`smtp://us%40er:pa55word@127.0.0.1:${server.port}?tls=off`, '--kind', 'event');
    expect(answer.sent).toBe(true);
    expect(answer.dialogue).toContain('C: AUTH LOGIN');
    expect(answer.dialogue.filter((line) => line === 'C: (hidden)')).toHaveLength(2);
    expect(answer.raw).not.toMatch(/pa55word|cGE1NXdvcmQ|dXNAZXI/);
    const [sent] = server.mails;
    const mail = await simpleParser(sent?.bytes ?? '');
    expect(mail.subject).toMatch(/^\[Test\] /);
    expect(sent?.mailFrom).toContain('<>');
  });

  it.each(['summary', 'dsn-delay', 'notice-policy', 'events-daily', 'rule-recipients'])(
    'by the template %s',
    async (name) => {
      const server = await serve({});
      const answer = await test(server.url, '--template', name);
      expect(answer.sent).toBe(true);
      const mail = await simpleParser(server.mails[0]?.bytes ?? '');
      expect(mail.messageId).toBe(`<${z.object({ messageId: z.string() }).parse(JSON.parse(answer.raw)).messageId}>`);
      const mark = mail.headers.get('x-gatepost-notification');
      if (!name.startsWith('events')) expect(mail.text).toContain(mark);
    },
  );

  it('says what to fix', async () => {
    const closed = await serve({});
    await closed.close();
    expect((await test(`smtp://127.0.0.1:${closed.port}`)).advice).toContain('Nothing listens');
    const relay = await serve({ script: { rcpt: '554 5.7.1 Relay access denied' } });
    const denied = await test(relay.url);
    expect(denied.reply).toContain('Relay access denied');
    expect(denied.advice).toContain('does not relay for this machine');
    const small = await test((await serve({ extensions: ['SIZE 100'] })).url);
    expect(small.advice).toContain('no mail as large as this one');
    const tls = path.join(PROGRAM_FOLDER, 'test', 'fixtures', 'tls');
    const [cert = '', key = ''] = ['cert.pem', 'key.pem'].map((name) => readFileSync(path.join(tls, name), 'utf8'));
    const selfSigned = await serve({ tls: { cert, key } });
    expect((await test(`smtp://localhost:${selfSigned.port}?tls=required`)).advice).toContain('?tls=required&ca=FILE');
    const login = await serve({
      extensions: [...USUAL_EXTENSIONS, 'AUTH PLAIN'],
      script: { auth: (text) => `535 5.7.8 no ${text}` },
    });
    const refused = await test(`smtp://u:pa55word@127.0.0.1:${login.port}?tls=off`);
    expect(refused.advice).toContain('check user:password@ in notifications.server');
    expect(refused.raw).not.toContain(Buffer.from('\0u\0pa55word').toString('base64'));
  });

  it('webhooks: each is told of, with what to fix; none is not good', async () => {
    const hooks = async (urls: readonly string[]): Promise<{ readonly out: string; readonly status: unknown }> => {
      await writeFile(
        site.config,
        `notifications: { webhooks: [${urls.map((url) => `{ url: "${url}", secret: s3cret }`).join(', ')}] }
`,
      );
      return await captured(async () => await notifyTest(undefined, { config: site.config, webhooks: true }));
    };
    const none = await hooks([]);
    expect(none.out).toContain('No webhook is configured');
    expect(none.status).toBe(1);
    const plain = await serve({ script: { greeting: 'close' } });
    const failed = await hooks([`http://127.0.0.1:${plain.port}/a`, `https://127.0.0.1:${plain.port}/b`]);
    expect(failed.status).toBe(1);
    expect(failed.out.match(/^Not told: /gm)).toHaveLength(2);
    expect(failed.out).not.toContain('does not want it');
  });

  it('wrong use is told, and nothing is sent', async () => {
    const use = async (address: string, kind?: string): Promise<void> =>
      await notifyTest(address, { config: site.config, ...(kind === undefined ? {} : { kind }) });
    await expect(use('no address')).rejects.toThrow(UsageError);
    await expect(use('me@example.org', 'banner')).rejects.toThrow(UsageError);
    await expect(notifyTest('me@example.org', { config: site.config, template: 'rule-generl' })).rejects.toThrow(
      'did you mean `rule-general`?',
    );
  });
});
