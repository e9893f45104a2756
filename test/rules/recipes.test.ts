import { copyFile, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatProblem } from '../../src/config/problems.js';
import { loadConfig } from '../../src/config/load.js';
import { GroupCopies } from '../../src/directory/copies.js';
import { failuresOf, runCasesOf } from './run-cases.js';

const RECIPES = path.join(import.meta.dirname, '../../docs/examples/recipes');

const SITE = `domains: [example.org]
node: { timezone: Europe/Berlin }
notifications: { general: [admin@example.org] }
`;
/** What a recipe needs besides. */
const NEEDS: Readonly<Record<string, string>> = {
  '04-dmarc-failures-of-our-domain.yaml':
    'detectors: { content: {}, signatures: {}, authentication: { dns: ["127.0.0.1:53"] } }\n',
  '25-verdicts-of-a-sandbox.yaml':
    'detectors: { content: {}, signatures: {}, external: { url: "http://127.0.0.1:9/verdict" } }\n',
  '26-group-of-the-directory.yaml':
    'directory: { url: ldaps://dc1.example.org, base: "dc=example,dc=org", groups: [developers] }\n',
};

const names = (await readdir(RECIPES)).filter((name) => name.endsWith('.yaml')).sort();
let root = '';

beforeAll(async () => {
  root = await mkdtemp(path.join(os.tmpdir(), 'gatepost-recipes-'));
});

afterAll(async () => {
  await rm(root, { recursive: true, force: true });
});

/** The folder of a reader who has copied a recipe, the lists that it names, and its cases. */
async function kitchen(name: string): Promise<string> {
  const folder = await mkdtemp(path.join(root, 'site-'));
  const rules = path.join(folder, 'rules');
  await mkdir(path.join(rules, 'lists'), { recursive: true });
  const text = await readFile(path.join(RECIPES, name), 'utf8');
  await writeFile(path.join(rules, name), text);
  await mkdir(path.join(rules, 'tests'));
  await copyFile(path.join(RECIPES, 'tests', name), path.join(rules, 'tests', name));
  await cp(path.join(RECIPES, 'tests/fixtures'), path.join(rules, 'tests/fixtures'), { recursive: true });
  for (const list of await readdir(path.join(RECIPES, 'lists'))) {
    if (text.includes(`"@${path.parse(list).name}"`))
      await copyFile(path.join(RECIPES, 'lists', list), path.join(rules, 'lists', list));
  }
  await writeFile(path.join(folder, 'gatepost.yaml'), SITE + (NEEDS[name] ?? ''));
  if (text.includes('@ldap:developers')) await writeGroup(folder, ['dana@example.org']);
  return folder;
}

async function writeGroup(folder: string, addresses: readonly string[]): Promise<void> {
  const { config } = await loadConfig(path.join(folder, 'gatepost.yaml'));
  if (config.directory === undefined) throw new Error('the recipe of the directory has none configured');
  const counts = { members: addresses.length, absent: 0, withoutAddress: 0, badAddresses: 0 };
  await new GroupCopies(config.data, config.directory).write({
    name: 'developers',
    readAt: Date.now(),
    ...counts,
    addresses,
  });
}

describe('the recipes in docs/examples/recipes', () => {
  it('are more than twenty, and each has its cases', async () => {
    expect(names.length).toBeGreaterThan(20);
    const tests = (await readdir(path.join(RECIPES, 'tests'))).filter((name) => name.endsWith('.yaml')).sort();
    expect(tests).toEqual(names);
  });

  it.each(names)('%s begins with what it does and what to change', async (name) => {
    const [first = '', second = '', third] = (await readFile(path.join(RECIPES, name), 'utf8')).split('\n');
    expect(first).toMatch(/^# [A-Z].*\.$/);
    expect(second).toMatch(/^# Change: .*\.$/);
    expect(third).toBe('');
  });

  it.each(names)('%s loads without a complaint, does what its cases say, and they reach all of it', async (name) => {
    const run = await runCasesOf(await kitchen(name));
    expect(run.problems.map(formatProblem)).toEqual([]);
    expect(failuresOf(run)).toEqual([]);
    expect(run.uncovered).toEqual([]);
    expect(run.results.length).toBeGreaterThan(1);
  });

  it('would not do with cases that expect something else', async () => {
    const folder = await kitchen('23-somebody-has-left.yaml');
    const file = path.join(folder, 'rules/tests/23-somebody-has-left.yaml');
    await writeFile(file, (await readFile(file, 'utf8')).replace('redirect: [ben@', 'redirect: [carl@'));
    const [failure] = failuresOf(await runCasesOf(folder));
    expect(failure).toMatchObject({ failed: [{ differences: [{ key: 'redirect', got: 'ben@example.org' }] }] });
  });
});
