import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { layDatabaseOf } from '../support/database.js';
import { makeSite, runGatepost, runUnread, startGatewayProcess, type Site } from '../support/gateway.js';
import { makeMail } from '../support/mail.js';

const RULES = `rules:
  - id: first
    name: First
    match: { recipient: ["nobody@example.org"] }
  - id: inbound
    name: Inbound
    match: { recipient: ["*@example.org"] }
    on:
      content:
        - id: exe
          name: Programs
          when: { attachment.extension: [exe] }
          action: delete-attachment
          quarantine: true
          tag: "[Stripped]"
          notify: [general, sender, recipients]
`;

const CASES = `- name: the first
  raw: "Subject: x\\n\\nx"
  envelope: { sender: a@b.example, recipients: [c@example.org] }
  expect: { c@example.org: { rule: inbound, action: deliver } }
- name: the second
  raw: "Subject: x\\n\\nx"
  envelope: { sender: a@b.example, recipients: [c@example.org] }
  expect: { c@example.org: { rule: first, action: deliver } }
`;

let site: Site;
let mail: string;

beforeAll(async () => {
  site = await makeSite(
    'notifications: { general: [security@example.org] }\nsmtp: { listen: ["127.0.0.1:0"], auth: { users: ./users } }\n',
    { 'rules/50-test.yaml': RULES },
  );
  mail = path.join(site.folder, 'mail.eml');
  await writeFile(mail, makeMail('x', [{ name: 'setup.exe', bytes: Buffer.from('MZ') }], 'Release'));
});

afterAll(async () => {
  await site.remove();
});

const recipientShape = z.object({
  rule: z.string(),
  action: z.string(),
  quarantine: z.boolean(),
  tags: z.array(z.string()),
  headers: z.object({}).loose(),
  warn: z.array(z.string()),
  notify: z.array(z.object({ group: z.string(), to: z.array(z.string()), template: z.string() })),
  suppressed: z.array(
    z.object({ group: z.string(), to: z.array(z.string()), template: z.string(), reason: z.string() }),
  ),
  considered: z.array(z.object({ rule: z.string(), matched: z.boolean(), why: z.string() })),
});
const explainShape = z.object({
  traceId: z.string().length(26),
  findings: z.array(z.object({ module: z.string(), status: z.string() }).loose()),
  audit: z.array(z.object({}).loose()),
  recipients: z.record(z.string(), recipientShape),
});

describe('explain', () => {
  it('says for each recipient which rule decides and who would be told', async () => {
    const { status, stdout } = await runGatepost([
      'explain',
      mail,
      '--sender',
      'a@partner.example',
      '--recipient',
      'b@example.org',
      '--recipient',
      'c@other.example',
      '--json',
      '--config',
      site.config,
    ]);
    expect(status).toBe(0);
    const { recipients } = explainShape.parse(JSON.parse(stdout));
    expect(recipients['b@example.org']).toMatchObject({
      rule: 'inbound',
      action: 'delete-attachment',
      quarantine: true,
      tags: ['[Stripped]'],
      notify: [
        { group: 'general', to: ['security@example.org'], template: 'rule-general' },
        { group: 'recipients', to: ['b@example.org'], template: 'rule-recipients' },
      ],
      suppressed: [{ group: 'sender', to: ['a@partner.example'], template: 'rule-sender' }],
    });
    expect(recipients['b@example.org']?.considered.map((c) => [c.rule, c.matched])).toEqual([
      ['first', false],
      ['inbound', true],
    ]);
    expect(recipients['c@other.example']?.rule).toBe('default');
  });

  it('shows the notifications filled in', async () => {
    const { stdout } = await runGatepost([
      'explain',
      mail,
      '--sender',
      'a@partner.example',
      '--recipient',
      'b@example.org',
      '--render',
      '--config',
      site.config,
    ]);
    expect(stdout).toContain('Notification to security@example.org');
    expect(stdout).toContain('setup.exe');
  });

  it('is exit status 2 when it is called wrongly', async () => {
    for (const args of [
      ['explain', mail],
      ['explain', '/nowhere.eml', '--sender', '', '--recipient', 'b@example.org'],
      ['explain', mail, '--sender', 'a@b.example', '--recipient', 'nobody'],
      ['nonsense'],
      ['quarantine', 'show', 'xyz'],
    ]) {
      expect((await runGatepost([...args, ...(args[0] === 'nonsense' ? [] : ['--config', site.config])])).status).toBe(
        2,
      );
    }
  });
});

describe('an option that may be given several times', () => {
  it('takes one value each time, and no argument that stands behind it', async () => {
    const config = ['--config', site.config];
    const explained = await runGatepost([
      'explain',
      '--sender',
      'a@b.example',
      '--recipient',
      'b@example.org',
      mail,
      ...config,
    ]);
    expect(explained).toMatchObject({ status: 0, stderr: '' });
    const id = '01J00000000000000000000000';
    const several = await runGatepost([
      'queue',
      'drop',
      '--recipient',
      'c@example.org',
      '--recipient',
      'd@example.org',
      ...config,
    ]);
    expect(several).toMatchObject({ status: 0, stdout: 'Nothing in the spool fits.\n' });
    for (const action of ['drop', 'retry', 'hold']) {
      const { status, stderr } = await runGatepost(['queue', action, '--recipient', 'c@example.org', id, ...config]);
      expect([status, stderr]).toEqual([2, expect.stringContaining('either IDs or filters')]);
    }
    const released = await runGatepost(['quarantine', 'release', '--to', 'x@example.org', id, ...config]);
    expect(released.stderr).not.toContain('missing required argument');
    const started = await runGatepost(['start', '--role', 'gateway', 'foo', ...config]);
    expect([started.status, started.stderr]).toEqual([2, expect.stringContaining('--role foo: there are the roles')]);
    const cases = path.join(site.folder, 'cases.yaml');
    await writeFile(cases, CASES);
    const tested = await runGatepost(['test', '--only', 'first', cases, ...config, '--json']);
    expect(JSON.parse(tested.stdout)).toMatchObject({ passed: 1, failed: 0 });
  });
});

it('a start that fails half way says why, and nothing else', async () => {
  const spoiled = await makeSite(
    'smtp: { listen: ["127.0.0.1:0"] }\ndomains: [example.org]\ndelivery: { nextHop: "maildir:inbox" }\n',
  );
  try {
    await layDatabaseOf(spoiled.config);
    await writeFile(path.join(spoiled.folder, 'data', 'outbox'), 'a file in the place of the folder');
    const { status, stdout, stderr } = await runGatepost(['start', '--json', '--config', spoiled.config]);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^error: cannot make the folder .*outbox: there is a file of that name; move it away\n$/);
    // The job queue is closed before the database: it does not miss it.
    expect(stdout).not.toContain('the job queue is out of reach');
  } finally {
    await spoiled.remove();
  }
});

describe('a broken rule file', () => {
  it('stops check and start with exit 1 and file:line:column', async () => {
    const broken = await makeSite('', {
      'rules/60-x.yaml':
        'rules:\n  - id: x\n    name: X\n    match: { recipient: ["*@example.org"] }\n    on:\n      malwares: { action: reject }\n',
    });
    try {
      const check = await runGatepost(['check', '--config', broken.config]);
      expect(check.status).toBe(1);
      expect(check.stdout).toContain('rules/60-x.yaml:6:7: error: ');
      expect(check.stdout).toContain('did you mean `malware`?');
      const start = await runGatepost(['start', '--config', broken.config]);
      expect(start.status).toBe(1);
      expect(start.stderr).toContain('rules/60-x.yaml:6:7: error: ');
      const asJson = z
        .object({ ok: z.boolean(), problems: z.array(z.looseObject({})) })
        .parse(JSON.parse((await runGatepost(['check', '--json', '--config', broken.config])).stdout));
      expect(asJson.ok).toBe(false);
    } finally {
      await broken.remove();
    }
  });

  it('a next hop that cannot be is found by check', async () => {
    const broken = await makeSite('delivery:\n  nextHop: "smtp://mail.example.org:25?tls=perhaps"\n');
    try {
      expect((await runGatepost(['check', '--config', broken.config])).stdout).toContain('gatepost.yaml:2:12: error: ');
    } finally {
      await broken.remove();
    }
  });
});

describe('start', () => {
  it('is refused on a data folder that a gateway uses, and the first one goes on', async () => {
    const gateway = await startGatewayProcess(site);
    try {
      const second = await runGatepost(['start', '--json', '--config', site.config]);
      expect(second.status).toBe(1);
      expect(second.stderr).toMatch(/gateway/i);
      expect((await runGatepost(['quarantine', 'list', '--json', '--config', site.config])).stdout.trim()).toBe('[]');
    } finally {
      expect(await gateway.stop()).toBe(0);
    }
  });
});

describe('help', () => {
  it('is there for every command and names exit statuses by being 0', async () => {
    for (const command of [
      [],
      ['start'],
      ['check'],
      ['explain'],
      ['trace'],
      ['queue'],
      ['queue', 'list'],
      ['quarantine'],
      ['quarantine', 'list'],
      ['quarantine', 'show'],
      ['quarantine', 'release'],
      ['quarantine', 'delete'],
      ['rules'],
      ['user', 'set'],
      ['demo'],
    ]) {
      const { status, stdout } = await runGatepost([...command, '--help']);
      expect(status).toBe(0);
      expect(stdout).toMatch(/^Usage: gatepost/);
    }
  });
});

it('a reader who has had enough, such as head, is no error', async () => {
  expect(await runUnread(['rules', '--config', site.config])).toEqual({ status: 0, stderr: '' });
});
