import { chmod, mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { DEFAULTS, loadFiles } from '../../test/rules/load.js';
import { formatProblem } from '../config/problems.js';
import { loadRules } from './load.js';

async function said(
  make: (folder: string) => Promise<void>,
  within: <T>(work: () => Promise<T>) => Promise<T> = async (work) => await work(),
): Promise<string[]> {
  const root = await mkdtemp(path.join(os.tmpdir(), 'gatepost-rules-'));
  try {
    const folder = path.join(root, 'rules');
    await mkdir(path.join(folder, 'lists'), { recursive: true });
    await make(folder);
    const { problems } = await within(async () => await loadRules(folder, { ...DEFAULTS, displayRoot: root }));
    return problems.map(formatProblem);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

/** Does the work as a user who may not read everything. */
async function withoutPrivileges<T>(work: () => Promise<T>): Promise<T> {
  if (process.getuid?.() !== 0 || process.seteuid === undefined) return await work();
  process.seteuid(65534);
  try {
    return await work();
  } finally {
    process.seteuid(0);
  }
}

describe('a file that cannot be kept in a folder of cases', () => {
  it.each<[string, (folder: string) => Promise<void>, RegExp]>([
    ['a folder', async (folder) => await mkdir(path.join(folder, '10.yaml')), /10\.yaml:1:1: error: this is a folder/],
    [
      'rule files one folder too deep',
      async (folder) => {
        await mkdir(path.join(folder, 'sales'));
        await writeFile(path.join(folder, 'sales/10.yaml'), 'rules: []\n');
      },
      /rules\/sales:1:1: warning: rule files in a folder below .* are not read: these have no effect\n {2}move them to rules$/,
    ],
    [
      'a list with several masks in a line',
      async (folder) => {
        await writeFile(path.join(folder, '10.yaml'), 'rules: [{ id: a, match: { sender: "@l" } }]\n');
        await writeFile(path.join(folder, 'lists/l.txt'), 'a@b.example, c@d.example\n');
      },
      /l\.txt:1:1: warning: .* it looks like several masks\n.*\n.*\n {2}write one mask a line$/,
    ],
    [
      'a list with masks in quotes',
      async (folder) => {
        await writeFile(path.join(folder, '10.yaml'), 'rules: [{ id: a, match: { sender: "@l" } }]\n');
        await writeFile(path.join(folder, 'lists/l.txt'), '"q@r.example"\n');
      },
      /l\.txt:1:1: warning: .* the quotes belong to it\n.*\n.*\n {2}did you mean "q@r\.example"\?$/,
    ],
    [
      'a link to itself',
      async (folder) => await symlink('10.yaml', path.join(folder, '10.yaml')),
      /10\.yaml:1:1: error: the file is a link that leads back to itself/,
    ],
    [
      'a link to nothing',
      async (folder) => await symlink('gone', path.join(folder, 'lists/l.txt')),
      /l\.txt:1:1: error: there is no such file/,
    ],
    [
      'a rule file of 50 MB',
      async (folder) => {
        await writeFile(path.join(folder, '10.yaml'), '');
        await truncate(path.join(folder, '10.yaml'), 50e6);
      },
      /10\.yaml:1:1: error: the file has 50 MB: more than 8\.0 MB are not read/,
    ],
    [
      'a list that is a binary file',
      async (folder) => await writeFile(path.join(folder, 'lists/l.txt'), Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 0, 0])),
      /lists\/l\.txt:1:7: error: a NUL byte stands here: this is not a text file/,
    ],
    [
      'a list of 80 MB',
      async (folder) => {
        await writeFile(path.join(folder, 'lists/l.txt'), '');
        await truncate(path.join(folder, 'lists/l.txt'), 80e6);
      },
      /lists\/l\.txt:1:1: error: the file has 80 MB: more than 64 MB are not read/,
    ],
  ])('is told of: %s', async (_, make, expected) => {
    const lines = await said(make);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(expected);
  });

  it('is told of a long list whose entries are no addresses, in few words', async () => {
    const lines = await said(async (folder) => {
      await writeFile(path.join(folder, '10.yaml'), 'rules: [ { id: a, match: { sender: "@l" } } ]');
      await writeFile(path.join(folder, 'lists/l.txt'), 'example.org\n'.repeat(300_000));
    });
    expect(lines).toHaveLength(6);
    expect(lines[0]).toMatch(/^rules\/lists\/l\.txt:1:1: warning: /);
    expect(lines[5]).toMatch(/l\.txt:6:1: warning: from here on 299995 more entries/);
  });

  it('is no set where the rules cannot be put in force', async () => {
    const text = 'rules: [{ id: a, match: { time: { hours: "08:00-18:00" } } }]\n';
    const { bundle, problems } = await loadFiles({ '10.yaml': text }, { timezone: 'Nowhere/Land' });
    expect(bundle).toBeUndefined();
    expect(problems.map(formatProblem)).toEqual([
      expect.stringMatching(/^error: these rules cannot be put in force: .*Nowhere\/Land/),
    ]);
  });

  it.each([
    ['is empty', ''],
    ['has comments alone', '# nothing yet\n\n  # to come\n'],
    ['has a byte order mark alone', '\uFEFF'],
    ['has the key rules alone', 'rules:\n'],
  ])('has no mistake when it %s', async (_, text) => {
    expect(await said(async (folder) => await writeFile(path.join(folder, '10.yaml'), text))).toEqual([]);
  });

  // The superuser may read every file, so it is read as nobody.
  it.skipIf(process.platform === 'win32')('is told of: a file that may not be read', async () => {
    const lines = await said(async (folder) => {
      await writeFile(path.join(folder, '10.yaml'), 'rules: []\n');
      await chmod(path.join(folder, '10.yaml'), 0o000);
      if (process.getuid?.() === 0) await chmod(path.dirname(folder), 0o755);
    }, withoutPrivileges);
    expect(lines).toEqual([
      'rules/10.yaml:1:1: error: the file may not be read by the user that Gatepost runs as\n  give that user the right to read it',
    ]);
  });

  it.skipIf(process.platform === 'win32')('is told of: a folder that may not be listed', async () => {
    const lines = await said(async (folder) => {
      await chmod(folder, 0o000);
      if (process.getuid?.() === 0) await chmod(path.dirname(folder), 0o755);
    }, withoutPrivileges);
    const reason = 'this user has no right to it; work as the user that Gatepost runs as, or give this one the right';
    expect(lines).toEqual(['rules/lists', 'rules'].map((name) => `error: cannot list the folder ${name}: ${reason}`));
  });
});
