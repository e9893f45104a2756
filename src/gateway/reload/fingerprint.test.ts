import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fingerprintOf } from './fingerprint.js';
import type { Places } from './places.js';

let folder: string;
let places: Places;

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'gatepost-print-'));
  await mkdir(path.join(folder, 'one'));
  await mkdir(path.join(folder, 'two'));
  for (const name of ['one', 'two']) await writeFile(path.join(folder, name, '10.yaml'), 'rules: []\n');
  await symlink('one', path.join(folder, 'rules'));
  places = {
    config: path.join(folder, 'gatepost.yaml'),
    rules: path.join(folder, 'rules'),
    templates: path.join(folder, 'templates'),
    files: [path.join(folder, 'key.pem')],
    followed: [],
  };
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const changes: readonly (readonly [string, () => Promise<void>])[] = [
  ['a link that leads to another folder', async () => await swap()],
  ['a file renamed over another', async () => await swapFile()],
  ['a folder that is gone', async () => await rm(path.join(folder, 'rules'))],
  ['a new file', async () => await writeFile(path.join(folder, 'one', '20.yaml'), '')],
  ['a configuration that appears', async () => await writeFile(places.config, '')],
  ['a key that appears', async () => await writeFile(path.join(folder, 'key.pem'), '')],
];

async function swap(): Promise<void> {
  await symlink('two', path.join(folder, 'rules.new'));
  await rename(path.join(folder, 'rules.new'), path.join(folder, 'rules'));
}

async function swapFile(): Promise<void> {
  await writeFile(path.join(folder, 'one', '.10.yaml.swp'), 'rules: []\n');
  await rename(path.join(folder, 'one', '.10.yaml.swp'), path.join(folder, 'one', '10.yaml'));
}

describe('the fingerprint of a set', () => {
  it.each(changes)('is another after %s', async (_, change) => {
    const before = await fingerprintOf(places);
    await change();
    expect((await fingerprintOf(places)).set).not.toBe(before.set);
  });

  it('is another when the usual rule folder comes back, while the shipped rules would be read', async () => {
    const elsewhere = { ...places, rules: path.join(folder, 'two') };
    await rename(path.join(folder, 'rules'), path.join(folder, 'away'));
    const before = await fingerprintOf(elsewhere);
    await rename(path.join(folder, 'away'), path.join(folder, 'rules'));
    expect((await fingerprintOf(elsewhere)).set).not.toBe(before.set);
  });

  it('is the same for files that are no part of it', async () => {
    const before = await fingerprintOf(places);
    await writeFile(path.join(folder, 'one', '10.yaml~'), 'a backup of an editor');
    expect(await fingerprintOf(places)).toEqual(before);
  });
});
