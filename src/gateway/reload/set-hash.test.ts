import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { loadSetup } from '../setup.js';
import { setHash } from './set-hash.js';

const RULES = 'rules:\n  - { id: one, match: { sender: "@vip" }, process: skip }\n';
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'gatepost-hash-'));
  await mkdir(path.join(folder, 'a', 'rules', 'lists'), { recursive: true });
  await write('gatepost.yaml', 'domains: [a.example]\n');
  await write('rules/10.yaml', RULES);
  await write('rules/lists/vip.txt', 'x@b.example\n');
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function write(name: string, text: string): Promise<void> {
  await writeFile(path.join(folder, 'a', name), text);
}

async function hashIn(name = 'a'): Promise<string> {
  const cwd = path.join(folder, name);
  const { config, bundle } = await loadSetup('trial', path.join(cwd, 'gatepost.yaml'), cwd);
  return await setHash(config, bundle);
}

it('is the same in every folder and on every node', async () => {
  const first = await hashIn();
  await cp(path.join(folder, 'a'), path.join(folder, 'b'), { recursive: true });
  await writeFile(path.join(folder, 'b', 'gatepost.yaml'), 'domains: [a.example]\nnode: { name: other }\ndata: ./d\n');
  expect(await hashIn('b')).toBe(first);
});

it.each([
  ['a rule', 'rules/10.yaml', RULES.replace('skip', 'reject')],
  ['another file of rules', 'rules/20.yaml', 'rules: []\n'],
  ['a list', 'rules/lists/vip.txt', 'y@b.example\n'],
  ['the domains', 'gatepost.yaml', 'domains: [b.example]\n'],
  ['the modules', 'gatepost.yaml', 'domains: [a.example]\ndetectors: { content: {} }\n'],
  ['the language', 'gatepost.yaml', 'domains: [a.example]\nnotifications: { language: de }\n'],
])('is another with %s changed', async (_, name, text) => {
  const first = await hashIn();
  await write(name, text);
  expect(await hashIn()).not.toBe(first);
});
