import { readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendMail } from '../../src/cli/demo/smtp-client.js';
import { startFakeSmtp, type FakeSmtp } from '../support/fake-smtp.js';
import { makeSite, runGatepost, startGatewayProcess, type RunningGateway, type Site } from '../support/gateway.js';
import { makeMail } from '../support/mail.js';
import { until } from '../support/until.js';

const IN_FORCE = 'the changed settings are in force';

let hop: FakeSmtp;
let site: Site;
let gateway: RunningGateway;

const rule = (name: string, version: number): string => `rules:
  - id: ${name}
    match: { recipient: ["${name}@example.org"] }
    on:
      content:
        - { id: all, name: All, when: { size: { over: 0 } }, headers: { set: { X-Set: "${version}" } } }
`;

/** Writes a file as editors do. */
async function replace(name: string, text: string): Promise<void> {
  const file = path.join(site.folder, name);
  await writeFile(`${file}.new`, text);
  await rename(`${file}.new`, file);
}

const count = (text: string): number => gateway.log.filter((line) => line.includes(text)).length;

async function said(text: string, before: number): Promise<void> {
  await until(`the log to say: ${text}`, () => Promise.resolve(count(text) > before));
}

beforeAll(async () => {
  hop = await startFakeSmtp();
  site = await makeSite(
    `smtp: { listen: ["127.0.0.1:0"] }
domains: [example.org]
scan: { threads: 1 }
delivery: { nextHop: "${hop.url}?tls=off" }
`,
    { 'rules/10-a.yaml': rule('a', 0), 'rules/20-b.yaml': rule('b', 0) },
  );
  gateway = await startGatewayProcess(site);
});

afterAll(async () => {
  expect(await gateway.stop()).toBe(0);
  await hop.close();
  await site.remove();
});

describe('settings are reloaded', () => {
  it('a bad set changes nothing, is said with its place, and is over when it is mended', async () => {
    const seen = count('event raised');
    await replace('rules/10-a.yaml', 'rules: [ { id: a, colour: red } ]\n');
    await said('event raised', seen);
    const said1 = gateway.log.find((line) => line.includes('"settings-not-applied"')) ?? '';
    expect(said1).toContain('rules/10-a.yaml:1:19');
    const status = await runGatepost(['status', '--json', '--config', site.config]);
    expect(JSON.parse(status.stdout)).toMatchObject({
      rules: { count: 3, lastReload: { ok: false, problems: [{ place: { file: 'rules/10-a.yaml', line: 1 } }] } },
    });
    await sendMail('127.0.0.1', gateway.port, {
      sender: 'a@partner.example',
      recipients: ['a@example.org'],
      bytes: makeMail('text', [], 'in spite of it'),
    });
    const mail = hop.mails.find(({ bytes }) => bytes.includes('in spite of it'));
    expect(mail?.bytes.toString('latin1')).toContain(`X-Set: 0\r\n`);

    const resolved = count('event resolved');
    await replace('rules/10-a.yaml', rule('a', 9_000));
    await said('event resolved', resolved);
  });

  it('a rule folder that vanishes does not put the shipped rules in force', async () => {
    const [seen, resolved] = [count('there are no rule files'), count('event resolved')];
    await rename(path.join(site.folder, 'rules'), path.join(site.folder, 'away'));
    await said('there are no rule files', seen);
    await rename(path.join(site.folder, 'away'), path.join(site.folder, 'rules'));
    await said('event resolved', resolved);
  });

  it('says which keys wait for a restart, and takes the others', async () => {
    const [seen, waits] = [count(IN_FORCE), count('take effect only after a restart')];
    const text = await readFile(site.config, 'utf8');
    await replace('gatepost.yaml', `${text.replace('[example.org]', '[example.org, new.example]')}data: ./elsewhere\n`);
    await said(IN_FORCE, seen);
    await said('take effect only after a restart', waits);
    expect(gateway.log.find((line) => line.includes('after a restart'))).toContain('"keys":["data"]');
    const reply = await sendMail('127.0.0.1', gateway.port, {
      sender: 'a@partner.example',
      recipients: ['anna@new.example'],
      bytes: makeMail('text'),
    });
    expect(reply).toMatch(/^250 /);
    const again = count(IN_FORCE);
    await replace('gatepost.yaml', text);
    await said(IN_FORCE, again);
  });
});

describe('starting with a broken set', () => {
  it('is refused and names --last-good, which runs on what was in force until the files are mended', async () => {
    const good = await readFile(path.join(site.folder, 'rules/20-b.yaml'), 'utf8');
    await gateway.kill();
    await replace('rules/20-b.yaml', 'rules: [ { id: b, colour: red } ]\n');
    await replace('gatepost.yaml', `${await readFile(site.config, 'utf8')}broken: [\n`);
    const refused = await runGatepost(['start', '--config', site.config]);
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain('gatepost start --last-good');

    gateway = await startGatewayProcess(site, {}, ['--last-good']);
    await said('"settings-not-applied"', 0);
    await sendMail('127.0.0.1', gateway.port, {
      sender: 'a@partner.example',
      recipients: ['b@example.org'],
      bytes: makeMail('text', [], 'on the last good set'),
    });
    const mail = hop.mails.find(({ bytes }) => bytes.includes('on the last good set'));
    expect(mail?.bytes.toString('latin1')).toContain('X-Gatepost-Rule: b\r\n');

    await replace('gatepost.yaml', (await readFile(site.config, 'utf8')).replace('broken: [\n', ''));
    await replace('rules/20-b.yaml', good);
    await said('event resolved', 0);
  });
});
