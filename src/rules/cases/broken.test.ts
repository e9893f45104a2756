import { mkdir, mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { formatProblem } from '../../config/problems.js';
import { KNOWN_MODULES } from '../findings.js';
import { caseFiles, loadCaseFiles } from './folder.js';
import type { LoadedCases } from './load.js';

/** One folder for each mistake: a file of test cases, and beside it what is said about it. */
const BROKEN = path.join(import.meta.dirname, '../../../test/rules/broken-cases');

async function load(folder: string): Promise<LoadedCases> {
  const context = { modules: KNOWN_MODULES, rules: ['inbound', 'default'], timezone: 'Europe/Berlin' };
  return await loadCaseFiles(await caseFiles(path.join(folder, 'rules/tests')), folder, context);
}

const names = await readdir(BROKEN);

describe('a broken file of test cases', () => {
  it('is there for each of many mistakes', () => {
    expect(names.length).toBeGreaterThan(50);
  });

  it.each(names)('%s is told with its place and what was probably meant', async (name) => {
    const folder = path.join(BROKEN, name);
    const { problems } = await load(folder);
    const severities = new Set(problems.map(({ severity }) => severity));
    expect([...severities]).toEqual([name.startsWith('warn-') ? 'warning' : 'error']);
    const said = `${problems.map(formatProblem).join('\n')}\n`;
    expect(said).toMatch(/^rules\/tests\/cases\.yaml:\d+:\d+: /);
    await expect(said).toMatchFileSnapshot(path.join(folder, 'expected.txt'));
  });

  it.each<[string, (file: string) => Promise<void>, RegExp | undefined]>([
    ['an empty file', async (file) => await writeFile(file, ''), undefined],
    ['a file of comments', async (file) => await writeFile(file, '# nothing yet\n\n# to come\n'), undefined],
    ['a folder', async (file) => await mkdir(file), /^rules\/tests\/a\.yaml:1:1: error: this is a folder/],
    ['a binary file', async (file) => await writeFile(file, Buffer.from('- name: \0\u0001')), /:1:9: error: a NUL byte/],
    [
      'a file of 50 MB',
      async (file) => {
        await writeFile(file, '');
        await truncate(file, 50e6);
      },
      /:1:1: error: the file has 50 MB: more than 8\.0 MB are not read/,
    ],
  ])('or is %s', async (_, make, expected) => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'gatepost-cases-'));
    try {
      await mkdir(path.join(folder, 'rules/tests'), { recursive: true });
      await make(path.join(folder, 'rules/tests/a.yaml'));
      const { cases, problems } = await load(folder);
      expect(cases).toEqual([]);
      expect(problems).toHaveLength(expected === undefined ? 0 : 1);
      if (expected !== undefined) expect(problems.map(formatProblem)[0]).toMatch(expected);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
