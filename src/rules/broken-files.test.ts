import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { DEFAULTS } from '../../test/rules/load.js';
import { formatProblem } from '../config/problems.js';
import { loadRules } from './load.js';

async function said(make: (folder: string) => Promise<void>): Promise<string[]> {
  const root = await mkdtemp(path.join(os.tmpdir(), 'gatepost-rules-'));
  try {
    const folder = path.join(root, 'rules');
    await mkdir(path.join(folder, 'lists'), { recursive: true });
    await make(folder);
    const { problems } = await loadRules(folder, { ...DEFAULTS, displayRoot: root });
    return problems.map(formatProblem);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

describe('a file that cannot be kept in a folder of cases', () => {
  it.each<[string, (folder: string) => Promise<void>, RegExp]>([
    ['a folder', async (folder) => await mkdir(path.join(folder, '10.yaml')), /10\.yaml:1:1: error: this is a folder/],
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
  ])('is told of: %s', async (_, make, expected) => {
    const lines = await said(make);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(expected);
  });
});
