import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { watchDetectors } from './active.js';
import type { DetectorSpec } from './types.js';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'gatepost-third-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

async function spec(name: string, watch: string): Promise<DetectorSpec> {
  const file = path.join(folder, `${name}.js`);
  const body = `statuses: [], create: () => ({ inspect: async () => [] }), watch${watch}`;
  await writeFile(file, `export default ({ z }) => ({ settings: z.object({ file: z.string() }), ${body} });\n`);
  const settings = { file: 'words.txt' };
  return { name, file, settings, baseDirectory: folder, timeout: 1000, onError: 'defer', statuses: [] };
}

it('a module of a third party follows its files until it is closed', async () => {
  const said: string[] = [];
  const watcher = watchDetectors(
    [
      await spec(
        'mine',
        `({ file }, { report }) { report('info', 'follows ' + file); return { close: async () => report('info', 'closed') }; }`,
      ),
    ],
    (module, level, text) => said.push(`${module} ${level} ${text}`),
  );
  await watcher.close();
  expect(said).toEqual(['mine info follows words.txt', 'mine info closed']);
});

it('one that cannot begin is reported and does not keep the others from it', async () => {
  const said: string[] = [];
  const watcher = watchDetectors(
    [await spec('bad', `() { throw new Error('no such place'); }`), await spec('none', `() { return undefined; }`)],
    (module, level, text) => said.push(`${module} ${level} ${text}`),
  );
  await watcher.close();
  expect(said).toEqual(['bad warn its files are not followed: no such place']);
});
