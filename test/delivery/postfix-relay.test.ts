import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Client } from '../smtp/harness.js';
import { startFakeSmtp, type FakeMail, type FakeSmtp } from '../support/fake-smtp.js';
import { freePort } from '../support/free-port.js';
import { makeSite, startGatewayProcess, type RunningGateway, type Site } from '../support/gateway.js';
import { CAN_POSTFIX, startPostfix, type Postfix } from '../support/postfix.js';

const TLS_FOLDER = path.resolve(import.meta.dirname, '../fixtures/tls');
const CERT = path.join(TLS_FOLDER, 'cert.pem');
const SOURCE = '/usr/sbin/smtp-source';
const SINK = '/usr/sbin/smtp-sink';
const RULES = `rules:
  - id: refused
    match: { recipient: ["refused@front.test"] }
    process: reject
  - id: all
    process: skip
`;

/** What some server has been seen to take for the end of data, and what looks like it. */
const TRICKS = ['\n.\n', '\n.\r\n', '\r\n.\n', '\r.\r\n', '\r\n.\r', '\r.\r', '\n.\r', '\r.\n', '\r\n\0.\r\n']
  .concat(['\r\n.\0\r\n', '\0\r\n.\0\n', '\r\n.\r\r\n', '\r\r\n.\r\r\n', '\n\r.\n\r'])
  .concat(['\r\n..\r\n', '\n..\n', '\r..\r', '\n..\r\n']);
const SMUGGLED =
  'MAIL FROM:<evil@example.net>\r\nRCPT TO:<victim@example.org>\r\nDATA\r\nSubject: smuggled\r\n\r\nevil\r\n';

async function run(program: string, args: readonly string[]): Promise<number | null> {
  const child = spawn(program, args, { stdio: 'ignore' });
  return await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
}

describe.skipIf(!CAN_POSTFIX)('Postfix before and behind a gateway', () => {
  let sink: FakeSmtp;
  let postfix: Postfix;
  let site: Site;
  let gateway: RunningGateway;
  let dumped = '';
  const closing: (() => unknown)[] = [];
  beforeAll(async () => {
    sink = await startFakeSmtp();
    closing.push(() => sink.close());
    const [port, dumpPort] = [await freePort(), await freePort()];
    dumped = await mkdtemp(path.join(os.tmpdir(), 'gatepost-dump-'));
    const args = ['-u', 'root', '-d', path.join(dumped, '%M.'), `127.0.0.1:${dumpPort}`, '100'];
    const dumper = spawn(SINK, args, { stdio: 'ignore' });
    closing.push(
      () => rm(dumped, { recursive: true, force: true }),
      () => dumper.kill(),
    );
    postfix = await startPostfix({
      relayTo: sink.port,
      files: {
        transport: `front.test smtp:[127.0.0.1]:${port}\n`,
        policy: `[127.0.0.1]:${port} secure match=mx.example.org\n`,
      },
      settings: [
        'transport_maps = texthash:$config_directory/transport',
        'smtp_tls_security_level = may',
        `smtp_tls_CAfile = ${CERT}`,
        'smtp_tls_policy_maps = texthash:$config_directory/policy',
        'smtp_send_xforward_command = yes',
        'smtpd_forbid_bare_newline = no',
        'default_destination_recipient_limit = 150',
      ],
    });
    closing.push(() => postfix.stop());
    site = await makeSite(
      `smtp: { listen: ["127.0.0.1:${port}"], hostname: mx.example.org, lineEndings: normalize,
  tls: { cert: "${CERT}", key: "${path.join(TLS_FOLDER, 'key.pem')}" } }
domains: ["example.org", "front.test", "dump.test"]
delivery:
  nextHop: "${postfix.url}"
  routes: { "front.test": "${sink.url}", "dump.test": "smtp://127.0.0.1:${dumpPort}" }
http: { listen: off }
`,
      { 'rules/10-all.yaml': RULES },
    );
    closing.push(() => site.remove());
    gateway = await startGatewayProcess(site);
    closing.push(() => gateway.stop());
  });
  afterAll(async () => {
    for (const close of closing.reverse()) await close();
  });

  let before = 0;
  beforeEach(() => {
    before = sink.mails.length;
  });
  async function arrive(count: number): Promise<readonly FakeMail[]> {
    await expect.poll(() => sink.mails.length - before).toBe(count);
    return sink.mails.slice(before);
  }

  async function submit(port: number): Promise<Client> {
    const client = await Client.connect(port);
    await client.hello();
    return client;
  }

  test('relays through it: TLS verified, 8-bit text and SMTPUTF8 as they are', async () => {
    const client = await submit(postfix.port);
    await client.command('MAIL FROM:<a@example.net> BODY=8BITMIME SMTPUTF8');
    await client.command('RCPT TO:<bücher@front.test>');
    await client.command('DATA');
    const body = 'Grüße, 日本\r\n..dots\r\n';
    client.write(`Subject: Grüße\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${body}.\r\n`);
    expect(await client.reply()).toMatch(/^250 /);
    client.destroy();
    const [mail] = await arrive(1);
    const text = mail?.bytes.toString() ?? '';
    expect(text.endsWith(body.replace('..', '.'))).toBe(true);
    expect(text).toMatch(/^Subject: Grüße\r$/m);
    expect(text).toMatch(/by mx\.example\.org with UTF8SMTPS/);
    expect(mail?.rcptTo).toEqual(['TO:<bücher@front.test> ORCPT=utf-8;bücher@front.test']);
    expect(await postfix.log()).toMatch(/Verified TLS connection established to 127\.0\.0\.1/);
  });

  test('relays a mail to 120 people through it in one transaction', async () => {
    const client = await submit(postfix.port);
    const people = Array.from({ length: 120 }, (_, index) => `p${index}@front.test`);
    expect(await client.send('Subject: many\r\n\r\nbody', people)).toMatch(/^250 /);
    client.destroy();
    const [mail] = await arrive(1);
    expect(mail?.rcptTo.map((text) => /<(.*?)>/.exec(text)?.[1]).sort()).toEqual(people.sort());
  });

  test('bounces to the sender what the gateway refuses, with its words', async () => {
    const client = await submit(postfix.port);
    expect(await client.send('Subject: no\r\n\r\nbody', ['refused@front.test'])).toMatch(/^250 /);
    client.destroy();
    const [bounce] = await arrive(1);
    expect(bounce?.mailFrom).toMatch(/^FROM:<>/);
    expect(bounce?.rcptTo.join()).toContain('a@example.net');
    expect(bounce?.bytes.toString()).toMatch(/^Diagnostic-Code: smtp; 55\d 5\.7\.1 /m);
  });

  test.skipIf(!existsSync(SOURCE))('many mails of smtp-source over it, each once', async () => {
    const args = ['-s', '8', '-m', '60', '-l', '3000', '-f', 'a@example.net', '-t', 'b@front.test'];
    expect(await run(SOURCE, [...args, `127.0.0.1:${postfix.port}`])).toBe(0);
    const mails = await arrive(60);
    expect(new Set(mails.map(({ bytes }) => /^Message-Id: .*$/im.exec(bytes.toString())?.[0])).size).toBe(60);
  });

  test.skipIf(!existsSync(SOURCE) || !existsSync(SINK))('smtp-source before, smtp-sink behind: none lost', async () => {
    const args = ['-s', '10', '-m', '200', '-l', '2000', '-f', 'a@example.net', '-t', 'b@dump.test'];
    expect(await run(SOURCE, [...args, `127.0.0.1:${gateway.port}`])).toBe(0);
    await expect.poll(async () => (await readdir(dumped)).length).toBe(200);
  });

  test('no end of data that is none splits a mail, although this Postfix takes a bare line feed for a line end', async () => {
    // The Postfix by itself is split: the test shows something.
    const direct = await submit(postfix.port);
    for (const line of ['MAIL FROM:<a@example.net>', 'RCPT TO:<b@example.org>', 'DATA']) await direct.command(line);
    direct.write(`Subject: x\r\n\r\nfirst\n.\n${SMUGGLED}.\r\n`);
    expect(await direct.reply()).toMatch(/^250 /);
    expect((await arrive(2)).map(({ mailFrom }) => /<(.*?)>/.exec(mailFrom)?.[1])).toContain('evil@example.net');
    direct.destroy();
    before = sink.mails.length;

    const client = await submit(gateway.port);
    let taken = 0;
    for (const trick of TRICKS) {
      for (const line of ['MAIL FROM:<a@example.net>', 'RCPT TO:<b@example.org>', 'DATA']) await client.command(line);
      client.write(Buffer.from(`Subject: ${taken}\r\n\r\nfirst${trick}${SMUGGLED}.\r\n`, 'latin1'));
      expect(await client.reply(), JSON.stringify(trick)).toMatch(/^250 2\.0\.0 /);
      // Whatever had been taken for a command would have been answered before this one is.
      expect(await client.command('VRFY end'), JSON.stringify(trick)).toMatch(/^252 /);
      taken += 1;
    }
    expect(await client.send('Subject: last\r\n\r\nlast')).toMatch(/^250 2\.0\.0 /);
    client.destroy();
    const mails = await arrive(taken + 1);
    const from = mails.map(({ mailFrom, rcptTo }) => [
      /<(.*?)>/.exec(mailFrom)?.[1],
      /<(.*?)>/.exec(rcptTo.join())?.[1],
    ]);
    for (const one of from) expect(one).toEqual(['a@example.net', 'b@example.org']);
    const subjects = mails.flatMap(({ bytes }) => /^Subject: (\w+)\r$/m.exec(bytes.toString('latin1'))?.slice(1) ?? []);
    expect(new Set(subjects).size).toBe(taken + 1);
  });
});
