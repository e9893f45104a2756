import { readdir, rename } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Client } from '../smtp/harness.js';
import { startFakeSmtp, type FakeSmtp } from '../support/fake-smtp.js';
import { freePort } from '../support/free-port.js';
import { makeSite, runGatepost, startGatewayProcess, type RunningGateway, type Site } from '../support/gateway.js';

const listed = z.array(
  z.object({
    id: z.string(),
    sender: z.string(),
    recipients: z.array(z.object({ nextAttempt: z.string().nullable() })),
  }),
);
const closing: (() => Promise<unknown>)[] = [];
let hop: FakeSmtp;
let old: FakeSmtp;
let site: Site;
let gateway: RunningGateway;

beforeAll(async () => {
  const usual = ['PIPELINING', 'SIZE 0', 'DSN', 'ENHANCEDSTATUSCODES'];
  hop = await startFakeSmtp();
  old = await startFakeSmtp({ extensions: usual });
  const dead = await freePort();
  closing.push(
    () => hop.close(),
    () => old.close(),
  );
  site = await makeSite(
    `domains: [example.org]\nsmtp: { listen: ["127.0.0.1:0"] }\ndelivery: { nextHop: "${hop.url}?tls=off", routes: { dead.test: "smtp://127.0.0.1:${dead}?tls=off", old.test: "${old.url}?tls=off" } }\n`,
  );
  closing.push(() => site.remove());
  gateway = await startGatewayProcess(site);
  closing.push(() => gateway.stop());
});

afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

/** @returns the trace ID */
async function send(recipients: readonly string[], text = 'Subject: x\r\n\r\nx'): Promise<string> {
  const client = await Client.connect(gateway.port);
  await client.hello();
  const reply = await client.send(text, recipients, 'jo@example.org');
  return /^250 .* queued as (\w{26})/.exec(reply)?.[1] ?? reply;
}

const queue = async (...args: string[]) => await runGatepost(['queue', ...args, '--config', site.config]);

async function list(...args: string[]): Promise<z.infer<typeof listed>> {
  const { status, stdout } = await queue('list', '--json', ...args);
  expect(status).toBe(0);
  return listed.parse(JSON.parse(stdout));
}

async function does(status: number, said: RegExp, ...args: string[]): Promise<void> {
  const result = await queue(...args);
  expect({ status: result.status, said: result.stdout + result.stderr }).toEqual({
    status,
    said: expect.stringMatching(said) as string,
  });
}

/** DSNs to the sender about a message. */
function reports(id: string): string[] {
  return hop.mails
    .filter(({ mailFrom, rcptTo }) => mailFrom.startsWith('FROM:<>') && rcptTo[0]?.startsWith('TO:<jo@') === true)
    .map(({ bytes }) => bytes.toString())
    .filter((text) => text.includes('multipart/report') && text.includes(id));
}

const DEAD = ['b@dead.test'];
const NOBODY = '01KABCDEFGHJKMNPQRSTVWXYZ0';

describe('gatepost queue', () => {
  let first = '';
  let second = '';

  it('works on the spool of the running gateway', async () => {
    first = await send(DEAD);
    second = await send(DEAD);
    expect((await list()).map(({ id }) => id)).toEqual([first, second]);
    await does(0, /b@dead\.test/, 'show', first);
    const story = JSON.parse((await runGatepost(['trace', first, '--json', '--config', site.config])).stdout) as object;
    expect(story).toMatchObject({
      id: first,
      deliveries: [{ recipient: 'b@dead.test', state: 'spooled' }],
      spool: [{ id: first, state: 'waiting', recipients: [{ address: 'b@dead.test', state: 'waiting' }] }],
    });
    await does(0, /held/, 'hold', first);
    expect((await list('--held')).map(({ id, recipients }) => [id, recipients[0]?.nextAttempt])).toEqual([
      [first, null],
    ]);
    await does(1, /held/, 'retry', first);
    await does(0, /no longer held/, 'unhold', first);
    expect(await list('--held')).toEqual([]);
    await does(0, /is tried now/, 'retry', first);
    await does(1, /There is no/, 'hold', NOBODY);
    await does(2, /is not the ID/, 'hold', 'x');
  });

  it('drops with a bounce, which the trace shows', async () => {
    await expect.poll(async () => (await queue('drop', '--bounce', second)).status).toBe(0);
    await expect.poll(() => reports(second).length).toBe(1);
    expect((await list()).map(({ id }) => id)).toEqual([first]);
    await expect
      .poll(async () => (await runGatepost(['trace', second, '--config', site.config])).stdout)
      .toMatch(/dropped/);
  });

  it('works on the spool when no gateway runs, and puts back what was set aside', async () => {
    expect(await gateway.stop()).toBe(0);
    await does(0, /is tried at the next start/, 'retry', first);
    const spool = path.join(site.folder, 'data', 'spool');
    for (const end of ['.eml', '.json'])
      await rename(path.join(spool, first + end), path.join(spool, 'corrupt', first + end));
    expect(await list()).toEqual([]);
    await does(0, /put back/, 'requeue', first);
    expect((await list()).map(({ id }) => id)).toEqual([first]);
    await does(0, /dropped/, 'drop', first);
    expect(await list()).toEqual([]);
    expect((await readdir(spool)).filter((name) => name.startsWith(first))).toEqual([]);
    await does(1, /There is no/, 'drop', first);
    expect((await runGatepost(['trace', first, '--config', site.config])).stdout).toMatch(/dropped/);
    gateway = await startGatewayProcess(site);
  });
});

it('the list shows the last reply of somebody who waits', async () => {
  hop.script = { rcpt: (line) => (line.includes('no@') ? '550 5.1.1 unknown' : '450 4.2.1 later') };
  const id = await send(['no@example.org', 'later@example.org']);
  hop.script = {};
  const { stdout } = await queue('list');
  expect(stdout.split('\n').find((line) => line.startsWith(id))).toMatch(/later@example\.org .*450 4\.2\.1 later/);
  await does(0, /dropped/, 'drop', id);
});

describe('a mail that one of two hops cannot have', () => {
  it('is reported in our own words, and not as those of the hop', async () => {
    const id = await send(
      ['c@example.org', 'd@old.test'],
      'Subject: x\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\u00e4',
    );
    await expect.poll(() => reports(id).length).toBe(1);
    const [report = ''] = reports(id);
    expect(report).toMatch(/^Final-Recipient: rfc822; ?d@old\.test\r$/m);
    expect(report).toMatch(/^Status: 5\.6\.3\r$/m);
    expect(report).toMatch(/^Diagnostic-Code: X-Gatepost; 554 5\.6\.3/m);
    expect(old.mails).toEqual([]);
  });
});
