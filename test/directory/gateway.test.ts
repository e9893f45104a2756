import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Attribute, Change, Client } from 'ldapts';
import nodemailer from 'nodemailer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { makeSite, runGatepost, startGatewayProcess, type RunningGateway, type Site } from '../support/gateway.js';
import { ADMIN, BASE, HAS_SLAPD, PASSWORD, startSlapd, type Slapd } from '../support/slapd.js';
import { until } from '../support/until.js';

const LDIF = [
  ...['anna', 'bert'].map(
    (uid) =>
      `dn: uid=${uid},${BASE}\nobjectClass: inetOrgPerson\nuid: ${uid}\ncn: ${uid}\nsn: ${uid}\nmail: ${uid}@example.org\n\n`,
  ),
  `dn: cn=board,${BASE}\nobjectClass: groupOfNames\ncn: board\nmember: uid=anna,${BASE}\n\n`,
].join('');

const RULES = `rules:
  - { id: board, match: { recipient: "@ldap:board" }, process: reject }
  - { id: rest, process: skip }
`;

const EVENTS = z.object({
  active: z.array(
    z.object({
      ...{ event: z.string(), group: z.string(), severity: z.string(), subject: z.string().nullish() },
      lastSuccess: z.string().nullish(),
    }),
  ),
});

async function send(port: number, to: string): Promise<number> {
  const transport = nodemailer.createTransport({ host: '127.0.0.1', port, ignoreTLS: true });
  try {
    await transport.sendMail({ from: 'a@partner.example', to, subject: 'x', text: 'x' });
    return 250;
  } catch (error) {
    const code: unknown = error instanceof Error && 'responseCode' in error ? error.responseCode : undefined;
    if (typeof code !== 'number') throw error;
    return code;
  } finally {
    transport.close();
  }
}

describe.skipIf(!HAS_SLAPD)('a gateway whose rule names a group of the directory', () => {
  let server: Slapd;
  let site: Site;
  let gateway: RunningGateway | undefined;

  beforeAll(async () => {
    server = await startSlapd(LDIF);
    await server.stop();
    const config = `data: ./data
smtp: { listen: "127.0.0.1:0" }
domains: [example.org]
delivery: { nextHop: "maildir:./inbox" }
scan: { threads: 1 }
directory:
  url: ${server.url}
  bind: { dn: "${ADMIN}", password: "\${LDAP_PASSWORD}" }
  base: ${BASE}
  refresh: 1s
  timeout: 2s
  groups: [board]
`;
    site = await makeSite(config, { 'rules/10-board.yaml': RULES });
  });
  afterAll(async () => {
    await gateway?.kill();
    await server.remove();
    await site.remove();
  });

  async function start(): Promise<RunningGateway> {
    gateway = await startGatewayProcess(site, { LDAP_PASSWORD: PASSWORD });
    return gateway;
  }

  it('answers 451 before the group was ever read, follows it without a restart, and restarts without LDAP', async () => {
    const first = await start();
    expect(await send(first.port, 'bert@example.org')).toBe(451);

    await server.start();
    await until('anna is refused', async () => (await send(first.port, 'anna@example.org')) === 550);
    expect(await send(first.port, 'bert@example.org')).toBe(250);

    process.env['LDAP_PASSWORD'] = PASSWORD;
    const status: unknown = JSON.parse((await runGatepost(['status', '--json', '--config', site.config])).stdout);
    expect(status).toMatchObject({ directory: [{ name: 'board', addresses: 1, stale: false }] });
    const shown = await runGatepost(['status', '--config', site.config]);
    expect(shown.stdout).toMatch(/directory +@ldap:board: 1 addresses, read .* ago$/m);

    // The group and the rules change at the same time: both are in force in the end.
    await writeFile(
      path.join(site.folder, 'rules', '10-board.yaml'),
      RULES.replace('rules:', 'rules:\n  - { id: dora, match: { recipient: dora@example.org }, process: reject }'),
    );
    const admin = new Client({ url: server.url });
    await admin.bind(`cn=root,${BASE}`, 'root');
    await admin.modify(
      `cn=board,${BASE}`,
      new Change({ operation: 'add', modification: new Attribute({ type: 'member', values: [`uid=bert,${BASE}`] }) }),
    );
    first.process.kill('SIGHUP');
    await admin.unbind();
    await until('dora is refused', async () => (await send(first.port, 'dora@example.org')) === 550);
    await until('bert is refused', async () => (await send(first.port, 'bert@example.org')) === 550);
    expect(await send(first.port, 'dora@example.org')).toBe(550);
    expect(await send(first.port, 'anna@example.org')).toBe(550);

    await server.stop();
    expect(await first.stop()).toBe(0);
    const folder = path.join(site.folder, 'data', 'directory');
    expect(await readdir(folder)).toEqual(['board.json']);
    const file = path.join(folder, 'board.json');
    const copy = await readFile(file, 'utf8');
    const twoDaysAgo = Date.now() - 2 * 86_400_000;
    await writeFile(file, copy.replace(/("readAt":\s*)\d+/, `$1${twoDaysAgo}`));
    const second = await start();
    expect(await send(second.port, 'bert@example.org')).toBe(550);
    expect(await send(second.port, 'carl@example.org')).toBe(250);
    // The directory cannot be reached, and the copy is older than the day that it may be.
    const raised = await until('both events', async () => {
      const { stdout } = await runGatepost(['events', '--json', '--config', site.config]);
      const { active } = EVENTS.parse(JSON.parse(stdout));
      return active.some(({ event }) => event === 'directory-data-stale') && active;
    });
    expect(raised).toContainEqual({
      ...{ event: 'directory-data-stale', group: 'directory', severity: 'error', subject: '@ldap:board' },
      lastSuccess: new Date(twoDaysAgo).toISOString(),
    });
    expect(raised.map(({ event }) => event)).toContain('directory-unavailable');
    expect(await second.stop()).toBe(0);
    expect([...first.log, ...second.log].join('\n')).not.toContain(PASSWORD);
    await writeFile(file, copy);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({
      addresses: ['anna@example.org', 'bert@example.org'],
    });
  });

  it('check and explain use the copy, and need no server', async () => {
    process.env['LDAP_PASSWORD'] = PASSWORD;
    const checked = await runGatepost(['check', '--json', '--config', site.config]);
    expect(JSON.parse(checked.stdout)).toEqual({ ok: true, problems: [] });
    const mail = path.join(site.folder, 'mail.eml');
    await writeFile(mail, 'From: a@partner.example\r\nSubject: x\r\n\r\nx\r\n');
    const given = [
      '--sender',
      'a@partner.example',
      '--recipient',
      'bert@example.org',
      '--json',
      '--config',
      site.config,
    ];
    const explained = z
      .object({ recipients: z.record(z.string(), z.object({ rule: z.string() })) })
      .parse(JSON.parse((await runGatepost(['explain', mail, ...given])).stdout));
    expect(explained.recipients['bert@example.org']?.rule).toBe('board');
  });
});

it('check knows the groups: an unknown one is an error with a suggestion, one without a copy a warning', async () => {
  const site = await makeSite(
    `domains: [example.org]\ndirectory:\n  url: ldap://127.0.0.1:1\n  base: ${BASE}\n  groups: [board, unused]\n`,
    {
      'rules/10-a.yaml':
        'rules:\n  - { id: a, match: { recipient: "@ldap:bord" } }\n  - { id: b, match: { client: "@ldap:board" } }\n',
    },
  );
  try {
    const result = await runGatepost(['check', '--config', site.config]);
    expect(result.stdout).toContain('rules/10-a.yaml:2:34: error');
    expect(result.stdout).toContain('did you mean `@ldap:board`?');
    expect(result.stdout).toContain('"@ldap:board" holds addresses of people, and no networks');
    expect(result.stdout).toContain('of the group "@ldap:board" there is no copy yet');
    expect(result.stdout).not.toContain('127.0.0.1');
  } finally {
    await site.remove();
  }
});
