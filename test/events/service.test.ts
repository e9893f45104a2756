import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openEvents, type EventsOptions } from '../../src/events/service.js';
import type { EventService, Severity } from '../../src/events/types.js';
import type { EventStore } from '../../src/store/types.js';
import { silentLog } from '../../src/telemetry/log.js';
import { startTestStore, type TestStore } from '../support/postgres.js';
import { until } from '../support/until.js';

let test: TestStore;
let folder: string;
let nodes = 0;
let node: string;
const open = new Set<EventService>();

beforeAll(async () => {
  test = await startTestStore();
});
afterAll(async () => {
  await test.stop();
});
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'gatepost-events-'));
  nodes += 1;
  node = `gw${nodes}`;
});
afterEach(async () => {
  for (const service of open) await service.close();
  open.clear();
  await rm(folder, { recursive: true, force: true });
});

async function start(options: Partial<EventsOptions> = {}): Promise<EventService> {
  const service = await openEvents({ node, folder, store: test.store.events, log: silentLog(), ...options });
  open.add(service);
  return service;
}

async function names(of = node): Promise<string[]> {
  return (await test.store.events.active(of)).map(({ event, subject }) => `${event} ${subject}`.trim()).sort();
}

class SwitchedStore implements Pick<EventStore, 'write' | 'active' | 'prune'> {
  down = false;
  writes = 0;
  readonly #store: EventStore;

  constructor(store: EventStore) {
    this.#store = store;
  }

  get store(): EventStore {
    return { ...this.#store, write: this.write, active: this.active };
  }

  readonly write: EventStore['write'] = async (...args) => {
    this.writes += 1;
    if (this.down) throw new Error('it is down');
    await this.#store.write(...args);
  };

  readonly active: EventStore['active'] = async (of) => {
    if (this.down) throw new Error('it is down');
    return await this.#store.active(of);
  };

  readonly prune: EventStore['prune'] = async (before) => await this.#store.prune(before);
}

const QUICK = { pause: { first: 10, last: 20 } };

describe('events of a node', () => {
  it('what is raised and resolved reaches the store by itself', async () => {
    const events = await start({ now: () => 1_800_000_000_000 });
    events.raise('disk-low', { detail: 'a\r\nb' });
    events.raise('detector-unavailable', { subject: 'antivirus', detail: 'gone', lastSuccess: new Date(0) });
    await until('the store to have both', async () => (await names()).length === 2);
    expect(await test.store.events.active(node)).toMatchObject([
      { event: 'detector-unavailable', severity: 'error', lastSuccess: new Date(0) },
      { event: 'disk-low', severity: 'error', detail: 'a b' },
    ]);
    events.resolve('detector-unavailable', 'antispam');
    events.resolve('disk-low');
    await until('one to be over', async () => (await names()).length === 1);
    expect(await names()).toEqual(['detector-unavailable antivirus']);
  });

  it('a repeated failure with another text is the same condition, and does not go to the store each time', async () => {
    const switched = new SwitchedStore(test.store.events);
    const events = await start({ store: switched.store });
    await events.flush();
    const before = await test.store.events.lastTransition();
    events.raise('disk-low', { detail: 'one' });
    await until('the first', async () => (await names()).length === 1);
    const writes = switched.writes;
    for (let i = 0; i < 1000; i++) events.raise('disk-low', { detail: `text ${i}` });
    await events.flush();
    expect(switched.writes - writes).toBe(1);
    expect((await test.store.events.active(node))[0]?.detail).toBe('text 999');
    expect(await test.store.events.transitions(before)).toHaveLength(1);
  });

  it('a condition that becomes more severe than ever is told again, and is over as severe as it was', async () => {
    const events = await start();
    await events.flush();
    const before = await test.store.events.lastTransition();
    const outdated = (severity: Severity): void =>
      events.raise('antivirus-databases-outdated', { subject: 'antivirus', severity, detail: 'old' });
    for (const severity of ['error', 'critical', 'error', 'critical', 'error'] as const) {
      outdated(severity);
      await events.flush();
    }
    expect(await test.store.events.active(node)).toMatchObject([{ severity: 'error' }]);
    await events.close();
    const again = await start();
    again.raise('antivirus-databases-outdated', { subject: 'antivirus', severity: 'critical', detail: 'old' });
    again.raise('antivirus-databases-outdated', { subject: 'antivirus', severity: 'error', detail: 'old' });
    again.resolve('antivirus-databases-outdated', 'antivirus');
    await again.flush();
    const told = await test.store.events.transitions(before);
    expect(told.map(({ change, condition }) => [change, condition.severity])).toEqual([
      ['raised', 'error'],
      ['raised', 'critical'],
      ['resolved', 'critical'],
    ]);
    expect(told[1]?.condition.first).toEqual(told[0]?.condition.first);
  });

  it('while the store is away all is kept, and written in order when it is back', async () => {
    const switched = new SwitchedStore(test.store.events);
    const events = await start({ store: switched.store, times: QUICK });
    await events.flush();
    const before = await test.store.events.lastTransition();
    switched.down = true;
    events.raise('store-unavailable', { detail: 'down' });
    events.raise('disk-low', { detail: 'full' });
    events.resolve('disk-low');
    await until('attempts in vain', () => Promise.resolve(switched.writes > 2));
    expect(events.active.map(({ event }) => event)).toEqual(['store-unavailable']);
    events.resolve('store-unavailable');
    switched.down = false;
    await until('the transitions', async () => (await test.store.events.transitions(before)).length === 4);
    expect(
      (await test.store.events.transitions(before)).map(({ change, condition }) => `${change} ${condition.event}`),
    ).toEqual(['raised store-unavailable', 'raised disk-low', 'resolved disk-low', 'resolved store-unavailable']);
    expect(await names()).toEqual([]);
  });

  it('a condition that flaps while the store is away takes bounded room and ends as it is', async () => {
    const switched = new SwitchedStore(test.store.events);
    const events = await start({ store: switched.store, times: QUICK });
    await events.flush();
    const before = await test.store.events.lastTransition();
    switched.down = true;
    for (let i = 0; i < 500; i++) {
      events.raise('disk-low', { detail: 'full' });
      events.resolve('disk-low');
    }
    events.raise('disk-low', { detail: 'full' });
    switched.down = false;
    await events.flush();
    const changes = (await test.store.events.transitions(before)).map(({ change }) => change);
    expect(changes.length).toBeLessThanOrEqual(21);
    expect(changes.every((change, i) => change === (i % 2 === 0 ? 'raised' : 'resolved'))).toBe(true);
    expect(await names()).toEqual(['disk-low']);
  });

  it('a node has no more than a thousand conditions', async () => {
    const events = await start();
    for (let i = 0; i < 1500; i++) events.raise('next-hop-unavailable', { subject: `hop ${i}`, detail: 'gone' });
    expect(events.active).toHaveLength(1000);
    await events.flush();
    expect(await names()).toHaveLength(1000);
  });
});

describe('after a restart', () => {
  async function before(): Promise<void> {
    const events = await start();
    events.raise('settings-not-applied', { detail: 'broken' });
    events.raise('detector-unavailable', { subject: 'antivirus', detail: 'gone' });
    events.raise('detector-unavailable', { subject: 'external', detail: 'gone' });
    events.raise('notification-undeliverable', { subject: 'a@example.org', detail: 'refused' });
    await events.close();
  }

  it('conditions hold until their part has spoken; those of subjects that are gone end after its first round', async () => {
    await before();
    const mark = await test.store.events.lastTransition();
    const events = await start();
    await events.flush();
    expect(await names()).toHaveLength(4);
    events.resolve('settings-not-applied');
    events.raise('detector-unavailable', { subject: 'antivirus', detail: 'still gone' });
    events.checked(['detector-unavailable']);
    await events.flush();
    expect(await names()).toEqual(['detector-unavailable antivirus', 'notification-undeliverable a@example.org']);
    expect((await test.store.events.transitions(mark)).map(({ change }) => change)).toEqual(['resolved', 'resolved']);
  });

  it.each(['lost', 'damaged'])('also when the file is %s: the store knows them', async (how) => {
    await before();
    const file = path.join(folder, 'events.json');
    if (how === 'lost') await rm(file);
    else await writeFile(file, '{"version":1,"conditions":[{');
    const events = await start();
    events.checked(['detector-unavailable']);
    await events.flush();
    expect(await names()).toEqual(['notification-undeliverable a@example.org', 'settings-not-applied']);
    if (how === 'damaged') expect(await readFile(`${file}.damaged`, 'utf8')).toContain('version');
  });

  it('what nobody speaks for is over after a while, except what only use can show: that lapses', async () => {
    await before();
    const events = await start({ times: { start: 30 } });
    await until('the others to end', async () => (await names()).length === 1);
    expect(await names()).toEqual(['notification-undeliverable a@example.org']);
    await events.close();
    await start({ times: { lapse: 30 }, now: () => Date.now() + 86_400_000 });
    await until('the last to lapse', async () => (await names()).length === 0);
  });

  it('what the store did not get before a crash it gets then, once', async () => {
    const mark = await test.store.events.lastTransition();
    const switched = new SwitchedStore(test.store.events);
    switched.down = true;
    const first = await start({ store: switched.store, times: QUICK });
    first.raise('disk-low', { detail: 'full' });
    const file = path.join(folder, 'events.json');
    const kept = await until('the file', async () => {
      const text = await readFile(file, 'utf8').catch(() => '');
      return text.includes('disk-low') ? text : undefined;
    });
    await first.close(10);
    for (const again of [1, 2]) {
      await writeFile(file, kept);
      const events = await start();
      await events.flush();
      expect(await names(), `start ${again}`).toEqual(['disk-low']);
      await events.close();
    }
    expect(await test.store.events.transitions(mark)).toHaveLength(1);
  });
});

it('two nodes: each has its own conditions, and one about a third is the same from both', async () => {
  const mark = await test.store.events.lastTransition();
  const other = await mkdtemp(path.join(tmpdir(), 'gatepost-events-'));
  const a = await start();
  const b = await start({ node: `${node}b`, folder: other });
  for (const events of [a, b]) {
    events.raise('disk-low', { detail: 'full' });
    events.raise('node-unavailable', { node: `${node}c`, detail: 'no heartbeat' });
    await events.flush();
  }
  expect(await names()).toEqual(['disk-low']);
  expect(await names(`${node}b`)).toEqual(['disk-low']);
  expect(await names(`${node}c`)).toEqual(['node-unavailable']);
  for (const events of [a, b]) events.resolve('node-unavailable', undefined, `${node}c`);
  await a.flush();
  await b.flush();
  expect((await test.store.events.transitions(mark)).map(({ change }) => change)).toEqual([
    'raised',
    'raised',
    'raised',
    'resolved',
  ]);
  await b.close();
  await rm(other, { recursive: true, force: true });
});

it('an address that a notification was refused for on one node is well again when another node has sent one', async () => {
  const mark = await test.store.events.lastTransition();
  const other = await mkdtemp(path.join(tmpdir(), 'gatepost-events-'));
  const times = { ...QUICK, elsewhere: 20, occurrences: 20 };
  const a = await start({ times });
  const b = await start({ node: `${node}b`, folder: other, times });
  for (const to of ['one@example.org', 'two@example.org'])
    a.raise('notification-undeliverable', { subject: to, detail: 'refused' });
  a.raise('disk-low', { detail: 'full' });
  await a.flush();
  b.resolve('disk-low');
  b.resolve('notification-undeliverable', 'two@example.org');
  await until('the end in the store', async () => (await names()).length === 2);
  await until('the end on the node itself', () => Promise.resolve(a.active.length === 2));
  expect(a.active.map(({ event, subject }) => `${event} ${subject}`)).toEqual([
    'notification-undeliverable one@example.org',
    'disk-low ',
  ]);
  // It begins anew as any other.
  a.raise('notification-undeliverable', { subject: 'two@example.org', detail: 'refused' });
  await a.flush();
  expect(await names()).toHaveLength(3);
  const own = (await test.store.events.transitions(mark)).filter(({ condition }) =>
    condition.subject.startsWith('two'),
  );
  expect(own.map(({ change, condition }) => `${change} ${condition.node}`)).toEqual([
    `raised ${node}`,
    `resolved ${node}`,
    `raised ${node}`,
  ]);
  await b.close();
  await rm(other, { recursive: true, force: true });
});
