import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseConfig, type Config } from '../../config/load.js';
import { liveConfig } from './live-config.js';

const BASE = 'smtp: { listen: ["127.0.0.1:0"] }\ndomains: [a.example]\nnode: { name: one }\n';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'gatepost-live-'));
  for (const name of ['other', 'mine']) await mkdir(path.join(folder, name));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

async function configOf(text: string): Promise<Config> {
  return (await parseConfig(text, folder)).config;
}

/** A key that is in force at once: how it is written, and how it is then read. */
const LIVE: readonly (readonly [string, string, (config: Config) => unknown, unknown])[] = [
  ['rules', 'rules: ./other\n', (c) => path.relative(folder, c.rules), 'other'],
  ['templates', 'templates: ./mine\n', (c) => c.templates?.slice(-5), '/mine'],
  ['detectors', 'detectors: { content: {} }\n', (c) => c.detectors.map(({ name }) => name), ['content']],
  ['trusted', 'trusted: [192.0.2.7]\n', (c) => c.trusted, ['192.0.2.7']],
  ['scan.deadline', 'scan: { deadline: 17s }\n', (c) => c.scan.deadline, 17_000],
  ['scan.maxDepth', 'scan: { maxDepth: 5 }\n', (c) => c.scan.maxDepth, 5],
  ['health', 'health: 77s\n', (c) => c.health, 77_000],
  ['log', 'log: { level: debug }\n', (c) => c.log.level, 'debug'],
  ['notifications.general', 'notifications: { general: [x@a.example] }\n', (c) => c.notifications.general.length, 1],
  [
    'notifications.webhooks',
    'notifications: { webhooks: [ { url: "https://x.example/", secret: 0123456789abcdef } ] }\n',
    (c) => c.notifications.webhooks.length,
    1,
  ],
  ['notifications.language', 'notifications: { language: de }\n', (c) => c.notifications.language, 'de'],
];

const WAITING: readonly (readonly [string, string])[] = [
  ['data', 'data: ./elsewhere\n'],
  ['scan.threads', 'scan: { threads: 7 }\n'],
  ['delivery.nextHop', 'delivery: { nextHop: "maildir:./x" }\n'],
];

describe('a changed configuration', () => {
  it.each(LIVE)('takes %s over at once', async (key, text, read, expected) => {
    const [running, wanted] = [await configOf(BASE), await configOf(BASE + text)];
    expect(read(running)).not.toEqual(expected);
    const { config, waiting } = liveConfig(running, wanted);
    expect(read(config)).toEqual(expected);
    expect(waiting).not.toContain(key);
  });

  it('takes domains over at once', async () => {
    const wanted = await configOf(BASE.replace('[a.example]', '[a.example, b.example]'));
    const { config, waiting } = liveConfig(await configOf(BASE), wanted);
    expect([config.domains, waiting]).toEqual([['a.example', 'b.example'], []]);
  });

  it.each(WAITING)('names %s, which waits for a restart, and leaves it as it was', async (key, text) => {
    const [running, wanted] = [await configOf(BASE), await configOf(BASE + text)];
    const { config, waiting } = liveConfig(running, wanted);
    expect(waiting).toEqual([key]);
    expect(liveConfig(config, running).waiting).toEqual([]);
  });

  it.each([
    ['smtp.listen', '"127.0.0.1:0"', '"127.0.0.1:1"'],
    ['node.name', 'name: one', 'name: two'],
  ])('names %s as well', async (key, before, after) => {
    const { waiting } = liveConfig(await configOf(BASE), await configOf(BASE.replace(before, after)));
    expect(waiting).toContain(key);
  });

  it('takes what is live of a change of both kinds, and names every key that waits', async () => {
    const wanted = await configOf(`${BASE}data: ./x\nscan: { threads: 3, deadline: 9s }\nhealth: 5s\n`);
    const { config, waiting } = liveConfig(await configOf(BASE), wanted);
    expect([...waiting].sort()).toEqual(['data', 'scan.threads']);
    expect([config.scan.deadline, config.health, config.data]).toEqual([9_000, 5_000, path.join(folder, 'data')]);
  });
});
