import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { durableFiles } from '../../store/files.js';
import { keepLastGood, lastGoodFolder, readKept, type KeepOptions } from './last-good.js';

let folder: string;
let options: KeepOptions;

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'gatepost-kept-'));
  await mkdir(path.join(folder, 'rules', 'lists'), { recursive: true });
  await mkdir(path.join(folder, 'templates', 'de'), { recursive: true });
  await writeFile(path.join(folder, 'gatepost.yaml'), 'domains: [a.example]\n');
  await writeFile(path.join(folder, 'rules', '10.yaml'), 'rules: [ { id: one } ]\n');
  await writeFile(path.join(folder, 'rules', 'lists', 'vip.txt'), 'a@b.example\n');
  await writeFile(path.join(folder, 'templates', 'de', 'mine.hbs'), 'x');
  options = {
    data: path.join(folder, 'data'),
    places: {
      config: path.join(folder, 'gatepost.yaml'),
      rules: path.join(folder, 'rules'),
      templates: path.join(folder, 'templates'),
      files: [],
      followed: [],
    },
    hash: 'h1',
    unchanged: () => Promise.resolve(true),
  };
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('the last good set', () => {
  it('is kept as it is, for the owner alone, and one at a time', async () => {
    await keepLastGood(options);
    await writeFile(path.join(folder, 'rules', '10.yaml'), 'rules: [ { id: two } ]\n');
    await keepLastGood({ ...options, hash: 'h2' });
    const kept = await readKept(options.data);
    expect(kept?.hash).toBe('h2');
    const names = (await readdir(kept?.folder ?? '', { recursive: true })).sort();
    expect(names).toEqual([
      'gatepost.yaml',
      'rules',
      'rules/10.yaml',
      'rules/lists',
      'rules/lists/vip.txt',
      'set.json',
      'templates',
      'templates/de',
      'templates/de/mine.hbs',
    ]);
    expect(await readFile(path.join(kept?.folder ?? '', 'rules/10.yaml'), 'utf8')).toContain('two');
    expect((await stat(path.join(kept?.folder ?? '', 'gatepost.yaml'))).mode & 0o777).toBe(0o600);
    expect((await stat(lastGoodFolder(options.data))).mode & 0o777).toBe(0o700);
    expect((await readdir(lastGoodFolder(options.data))).length).toBe(2);
  });

  it('stays when a file changes while it is copied', async () => {
    await keepLastGood(options);
    await writeFile(path.join(folder, 'rules', '10.yaml'), 'rules: [\n');
    await keepLastGood({ ...options, hash: 'h2', unchanged: () => Promise.resolve(false) });
    expect((await readKept(options.data))?.hash).toBe('h1');
    expect((await readdir(lastGoodFolder(options.data))).length).toBe(2);
  });

  it.each(['10.yaml', 'set.json', 'current'])('stays whole when the disk is full at %s', async (name) => {
    await keepLastGood(options);
    await writeFile(path.join(folder, 'rules', '10.yaml'), 'rules: []\n');
    const files = durableFiles();
    const full = (file: string): void => {
      if (path.basename(file) === name) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
    };
    const failing = {
      ...files,
      create: async (file: string, content: Parameters<typeof files.create>[1]) => {
        full(file);
        await files.create(file, content);
      },
      replace: async (file: string, content: Parameters<typeof files.replace>[1]) => {
        full(file);
        await files.replace(file, content);
      },
    };
    await expect(keepLastGood({ ...options, hash: 'h2', files: failing })).rejects.toThrow('no space left');
    const kept = await readKept(options.data);
    expect(kept?.hash).toBe('h1');
    expect(await readFile(path.join(kept?.folder ?? '', 'rules/10.yaml'), 'utf8')).toContain('one');
  });
});
