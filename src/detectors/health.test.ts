import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { startFakeClamd, type FakeClamd } from '../../test/support/fake-clamd.js';
import { until } from '../../test/support/until.js';
import { parseConfig } from '../config/load.js';
import { configureDetectors } from './configure.js';
import { startHealthMonitor, type HealthChange, type HealthMonitor } from './health.js';
import { isListData } from './links/list-files.js';
import { ListWatcher } from './links/list-watch.js';
import type { DetectorSpec } from './types.js';

const NOW = new Date(2026, 10, 21, 12).getTime();
const DAY = 86_400_000;

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

function specFor(name: string, settings: Record<string, unknown> = {}): DetectorSpec {
  return { name, settings, baseDirectory: '.', timeout: 1_000, onError: 'defer', statuses: [] };
}

interface Watching {
  readonly monitor: HealthMonitor;
  readonly changes: string[];
  readonly clock: { now: number };
}

async function watch(clamd: FakeClamd, interval = 3_600_000): Promise<Watching> {
  closers.push(() => clamd.close());
  const changes: string[] = [];
  const clock = { now: NOW };
  const monitor = await startHealthMonitor({
    specs: [specFor('content'), specFor('antivirus', { clamd: clamd.address, maxDatabaseAge: '7d' })],
    interval,
    onChange: ({ kind, health }: HealthChange) => changes.push(`${health.module} ${kind}`),
    now: () => clock.now,
  });
  closers.push(() => monitor.close());
  await monitor.check();
  return { monitor, changes, clock };
}

it('keeps version and age of the databases, and tells when they become too old and when they are current again', async () => {
  const clamd = await startFakeClamd();
  const { monitor, changes, clock } = await watch(clamd);
  expect(monitor.states).toEqual([
    {
      module: 'antivirus',
      state: 'up',
      since: new Date(NOW),
      lastSuccess: new Date(NOW),
      databases: {
        version: '27823',
        date: new Date(2026, 10, 21, 9, 12, 31),
        maxAge: 7 * DAY,
        age: expect.any(Number) as number,
        outdated: false,
      },
    },
  ]);
  clock.now += 8 * DAY;
  await monitor.check();
  expect(changes).toEqual(['antivirus databases-outdated']);
  await monitor.check();
  clamd.version = 'ClamAV 1.4.6/27900/Sun Nov 29 09:00:00 2026';
  clock.now += 5 * 60_000 - 1;
  await monitor.check();
  expect(changes).toEqual(['antivirus databases-outdated']);
  clock.now += 1;
  await monitor.check();
  expect(changes).toEqual(['antivirus databases-outdated', 'antivirus databases-current']);
  expect(monitor.states[0]?.databases).toMatchObject({ version: '27900', outdated: false });
});

it('knows at the next check that a list was refreshed', async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'gatepost-health-'));
  closers.push(async () => await rm(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'phishing.txt');
  const old = new Date(NOW - 5 * DAY);
  await writeFile(file, 'evil.example\n');
  await utimes(file, old, old);
  const { config } = await parseConfig('detectors: { links: { lists: [phishing.txt], maxListAge: 1d } }', folder);
  const { specs } = await configureDetectors(config.detectors, folder, config.source, 60_000);
  const data = specs[0]?.data;
  if (!isListData(data)) throw new Error('the lists were not read');
  const watcher = new ListWatcher(['phishing.txt'], data, { baseDirectory: folder, report: () => undefined });
  closers.push(() => watcher.close());
  const changes: string[] = [];
  const monitor = await startHealthMonitor({
    specs,
    interval: 3_600_000,
    onChange: ({ kind, health }) => changes.push(`${health.module} ${kind}`),
    now: () => NOW,
  });
  closers.push(() => monitor.close());
  await monitor.check();
  expect(changes).toEqual(['links databases-outdated']);
  await utimes(file, new Date(NOW), new Date(NOW));
  await watcher.look();
  await until('the module to have it', async () => {
    await monitor.check();
    return changes.length === 2;
  });
  expect(changes).toEqual(['links databases-outdated', 'links databases-current']);
});

it('tells once that an engine is gone and once that it is back', async () => {
  const clamd = await startFakeClamd();
  const { monitor, changes, clock } = await watch(clamd);
  clamd.behaviour = { kind: 'say', text: 'no pong' };
  clock.now += 10_000;
  await monitor.check();
  await monitor.check();
  expect(changes).toEqual(['antivirus down']);
  expect(monitor.states[0]).toMatchObject({
    state: 'down',
    since: new Date(NOW + 10_000),
    lastSuccess: new Date(NOW),
    reason: 'the engine answered something that is no PONG',
  });
  clamd.behaviour = { kind: 'scan' };
  await monitor.check();
  expect(changes).toEqual(['antivirus down', 'antivirus up']);
});

it('checks at each interval, and at once when a scan has failed', async () => {
  const clamd = await startFakeClamd();
  const { monitor, changes } = await watch(clamd, 20);
  clamd.behaviour = { kind: 'say', text: 'no pong' };
  await until('the engine to be seen gone', () => Promise.resolve(changes.length === 1));
  const second = await startFakeClamd();
  const slow = await watch(second);
  second.behaviour = { kind: 'say', text: 'no pong' };
  slow.monitor.suspect('antivirus');
  // It was checked just now: a failing scan after that is no news.
  expect(slow.monitor.states[0]?.state).toBe('up');
  slow.clock.now += 1_000;
  slow.monitor.suspect('antivirus');
  slow.monitor.suspect('content');
  await until('the engine to be seen gone', () => Promise.resolve(slow.changes.length === 1));
  expect(monitor.states[0]?.state).toBe('down');
});

it('takes an engine without dated databases as it is', async () => {
  const clamd = await startFakeClamd();
  clamd.version = 'ClamAV 1.4.6';
  const { monitor, changes } = await watch(clamd);
  expect(monitor.states[0]).toEqual({
    module: 'antivirus',
    state: 'up',
    since: new Date(NOW),
    lastSuccess: new Date(NOW),
  });
  expect(changes).toEqual([]);
});
