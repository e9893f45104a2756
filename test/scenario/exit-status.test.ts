import { spawnSync } from 'node:child_process';
import { chmod, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UsageError } from '../../src/cli/exit.js';
import { kindOfGiven, readGivenMessage } from '../../src/cli/given.js';
import { listQuarantine } from '../../src/cli/quarantine-list.js';
import { listQueue } from '../../src/cli/queue.js';
import { changeQueue } from '../../src/cli/queue-change.js';
import { replay } from '../../src/cli/replay.js';
import { status as showStatus } from '../../src/cli/status.js';
import { readConfig } from '../../src/config/load.js';
import { ConfigError } from '../../src/config/problems.js';
import { makeSite, runGatepost, type Site } from '../support/gateway.js';

const PROGRAM = path.join(import.meta.dirname, '..', '..', 'bin', 'gatepost.js');
const ID = '01J00000000000000000000000';
/** What the system calls its errors, and a stack. */
const RAW = /\bE[A-Z]{3,}\b|^ {4}at /m;

let site: Site;
const place = (name: string): string => path.join(site.folder, name);

beforeAll(async () => {
  site = await makeSite('domains: [example.org]\nsmtp: { auth: { users: ./no-folder/users } }\n', {
    'rules/10-a.yaml': 'rules: [{ id: staff, match: { recipient: "*@example.org" } }]\n',
    'mails/a.eml': 'From: a@x.example\nTo: b@example.org\n\nx\n',
    'others/note.txt': 'no mail\n',
    'closed/a.eml': 'From: a@x.example\nTo: b@example.org\n\nx\n',
    'closed.yaml': '',
    'data-is-file.yaml': 'data: ./mails/a.eml\n',
    'data-below-file.yaml': 'data: ./mails/a.eml/data\n',
    'data-of-others.yaml': 'data: ./of-others\nscan: { threads: 1 }\n',
    'of-others/spool/x': '',
  });
  for (const name of ['empty', 'is-folder.yaml', 'rules/tests']) await mkdir(place(name));
  // The superuser may read all, so a part is read as nobody, who has to come as far as here.
  await chmod(site.folder, 0o755);
  for (const name of ['closed', 'closed.yaml', 'of-others']) await chmod(place(name), 0o000);
});
afterAll(async () => await site.remove());

/** All commands that read a configuration. */
const COMMANDS = [
  'start',
  'check',
  'explain MAIL --sender a@x.example --recipient b@example.org',
  'test',
  'replay MAIL --against MAIL',
  `trace ${ID}`,
  'queue list',
  `queue show ${ID}`,
  `queue retry ${ID}`,
  'quarantine list',
  `quarantine show ${ID}`,
  `quarantine release ${ID}`,
  `quarantine delete ${ID}`,
  'notifications list',
  `notifications show ${ID}`,
  `notifications retry ${ID}`,
  'notify-test a@example.org',
  'template list',
  'template show rule-general',
  'template preview rule-general',
  'rules',
  'events',
  'nodes',
  'nodes remove gone',
  'nodes control gone',
  'status',
  'user set anna',
];

const run = async (line: string, config = site.config) => {
  const args = line.split(' ').map((word) => (word === 'MAIL' ? place('mails/a.eml') : word));
  return await runGatepost([...args, '--config', config]);
};

describe.each(COMMANDS)('gatepost %s', (line) => {
  it.each([
    ['is not there', 'none.yaml', 'there is no such file'],
    ['is a folder', 'is-folder.yaml', 'it is a folder, not a file'],
    ['lies below a file', 'mails/a.eml/gatepost.yaml', 'a part of its path is a file and no folder'],
  ])('is wrong use with a configuration that %s', async (_, name, words) => {
    const { status, stdout, stderr } = await run(line, place(name));
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain(`cannot read the configuration ${place(name)}: `);
    expect(stderr).toContain(words);
    expect(stderr).not.toMatch(RAW);
  });

  it('says that the data folder is a file', async () => {
    for (const name of ['data-is-file.yaml', 'data-below-file.yaml']) {
      const { status, stdout, stderr } = await run(line, place(name));
      expect(status).toBe(1);
      expect(stdout + stderr).toMatch(/data-\w+-file\.yaml:1:7: error: `data`: .* file/);
      expect(stdout + stderr).not.toMatch(RAW);
    }
  });
});

describe('what the command line names', () => {
  const AT = '--sender a@x.example --recipient b@example.org';
  it.each([
    [2, `explain none.eml ${AT}`, 'cannot read none.eml: there is no such file'],
    [2, `explain mails ${AT}`, 'cannot read mails: it is a folder'],
    [2, 'template preview rule-general --message mails/a.eml/b.eml', 'a part of its path is a file'],
    [2, 'test none.yaml', 'cannot read none.yaml: there is no such file'],
    [1, 'test empty', 'There are no test cases in empty'],
    [1, 'test', 'There are no test cases: write them into'],
    [2, 'replay none --against rules', 'cannot read none: there is no such file'],
    [2, 'replay mails --against none', '--against: there is no folder or file none'],
    [2, 'replay mails --against mails', '--against: there are no rule files'],
    [1, 'replay empty --against rules', 'There is no message in empty: files that end in .eml'],
    [1, 'replay others --against rules', 'There is no message in others'],
    [0, 'replay mails --against rules', 'nothing changes'],
    [2, 'queue show xyz', 'is not the ID of a message'],
    [1, `queue show ${ID}`, `There is no ${ID} in the spool`],
    [1, `queue retry ${ID}`, `There is no ${ID} in the spool`],
    [1, `queue requeue ${ID}`, `There is no ${ID} in spool/corrupt`],
    [0, 'queue retry --all', '0 items to be tried'],
    [2, 'quarantine show xyz', 'is not a message ID'],
    [1, `quarantine show ${ID}`, `There is no ${ID} in the quarantine`],
    [1, 'notifications show xyz', 'No notification with the ID xyz'],
    [1, 'trace xyz', 'Nothing with the ID xyz'],
    [1, 'nodes remove xyz', 'There is no node named xyz'],
    [2, 'template show xyz', 'there is no template `xyz`'],
    [1, 'status', 'Gatepost does not run here'],
  ])('exit status %d: gatepost %s', async (wanted, line, words) => {
    const { status, stdout, stderr } = await runGatepost([...line.split(' '), '--config', site.config], site.folder);
    expect([status, stdout + stderr]).toEqual([wanted, expect.stringContaining(words)]);
    expect(stdout + stderr).not.toMatch(RAW);
  });

  it('replay of a folder without mail prints JSON for a script all the same', async () => {
    const { status, stdout } = await runGatepost(
      ['replay', 'empty', '--against', 'rules', '--json', '--config', site.config],
      site.folder,
    );
    expect([status, JSON.parse(stdout)]).toMatchObject([1, { messages: 0, changed: [] }]);
  });

  it('a users file that cannot be written, and a password that cannot be', () => {
    const set = (password: string) =>
      spawnSync(process.execPath, [PROGRAM, 'user', 'set', 'anna', '--config', site.config], {
        input: `${password}\n`,
        encoding: 'utf8',
      });
    const refused = set('secret');
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain(`there is no folder ${place('no-folder')}; make it first`);
    expect(refused.stderr).not.toMatch(RAW);
    expect(set('x'.repeat(2000))).toMatchObject({ status: 2, stderr: 'error: a password has 1 to 1024 bytes\n' });
  });
});

/** What a command throws that an unprivileged user gives. */
async function refusal(command: () => Promise<unknown>): Promise<unknown> {
  const superuser = process.getuid?.() === 0 && process.seteuid !== undefined;
  if (superuser) process.seteuid?.(65534);
  try {
    return await command().catch((error: unknown) => error);
  } finally {
    if (superuser) process.seteuid?.(0);
  }
}

describe.skipIf(process.platform === 'win32')('what this user may not read', () => {
  it('a configuration is wrong use', async () => {
    const error = await refusal(async () => await listQueue({ config: place('closed.yaml') }));
    expect(error).toBeInstanceOf(ConfigError);
    expect(error).toHaveProperty('unread', true);
    expect(String(error)).toContain('work as the user that Gatepost runs as, or give this one the right');
    expect(await readConfig(place('none.yaml'))).toMatchObject({ unread: true });
  });

  it.each<[string, () => Promise<unknown>]>([
    ['a message', async () => await readGivenMessage(place('closed/a.eml'))],
    ['a file', async () => await kindOfGiven(place('closed.yaml'))],
    ['a folder', async () => await kindOfGiven(place('closed'), '--against')],
    ['mail', async () => await replay(place('closed'), { against: place('rules'), config: site.config })],
  ])('%s that the command line names is wrong use', async (_, command) => {
    const error = await refusal(command);
    expect(error).toBeInstanceOf(UsageError);
    expect(String(error)).toMatch(/cannot read .*closed.*: this user has no right/);
  });

  it('the data folder of another user is told by every command that looks into it', async () => {
    const options = { config: place('data-of-others.yaml') };
    for (const command of [
      async () => await listQueue(options),
      async () => await changeQueue('retry', [ID], options),
      async () => await listQuarantine(options),
      async () => await showStatus(options),
    ])
      expect(await refusal(command)).toMatchObject({
        message: `the data folder ${place('of-others')} belongs to another user: work as the user that the gateway runs as`,
      });
  });
});
