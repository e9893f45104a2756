import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { openEvents } from '../../src/events/service.js';
import { nodeIdentity } from '../../src/gateway/nodes/identity.js';
import { Membership, NameTakenError, type MembershipTimes } from '../../src/gateway/nodes/membership.js';
import type { NodeFacts, NodeIdentity } from '../../src/store/node-types.js';
import { silentLog } from '../../src/telemetry/log.js';
import { startTestStore, type TestStore } from '../support/postgres.js';
import { until } from '../support/until.js';

const TIMES: Partial<MembershipTimes> = { beat: 50, lease: 600, steady: 200, silence: 1000, differ: 700 };

let test: TestStore;
let folder: string;
const closers: (() => Promise<void>)[] = [];

beforeAll(async () => {
  test = await startTestStore();
  folder = await mkdtemp(path.join(os.tmpdir(), 'gatepost-nodes-'));
});
afterAll(async () => {
  await test.stop();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  const { nodes } = test.store;
  for (const { name } of await nodes.list()) await nodes.remove(name);
  for (const condition of await test.store.events.active())
    await test.store.events.write(
      [{ id: randomUUID(), change: 'resolved', condition: { ...condition, resolvedAt: new Date() } }],
      [],
    );
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Member {
  readonly membership: Membership;
  /** As by kill -9: it says nothing any more, and no goodbye. */
  kill(): void;
  revive(): void;
  facts: Omit<NodeFacts, 'clock'>;
}

function factsOf(name: string, given: Partial<NodeFacts> = {}): Omit<NodeFacts, 'clock'> {
  return {
    name,
    roles: ['gateway', 'worker'],
    address: '10.0.0.11',
    port: 2525,
    comment: 'rack 2',
    timezone: 'UTC',
    version: '1.0.0',
    rules: 'a1',
    ...given,
  };
}

async function join(
  name: string,
  given: Partial<NodeFacts> = {},
  more: { readonly identity?: NodeIdentity; readonly now?: () => number } = {},
): Promise<Member> {
  const { store } = test;
  const state = { dead: false, facts: factsOf(name, given) };
  const events = await openEvents({
    node: name,
    folder: await mkdtemp(path.join(folder, 'node-')),
    store: store.events,
    log: silentLog(),
  });
  closers.push(async () => await events.close());
  const dead = (): Promise<never> => Promise.reject(new Error('killed'));
  const membership = await Membership.open({
    nodes: {
      ...store.nodes,
      clockOffset: async (now) => (state.dead ? await dead() : await store.nodes.clockOffset(now)),
    },
    eventStore: store.events,
    events,
    identity: more.identity ?? { installation: randomUUID(), run: randomUUID() },
    facts: () => state.facts,
    log: silentLog(),
    times: TIMES,
    ...(more.now === undefined ? {} : { now: more.now }),
  });
  closers.push(async () => await membership.close());
  return {
    membership,
    kill: () => {
      state.dead = true;
    },
    revive: () => {
      state.dead = false;
    },
    get facts() {
      return state.facts;
    },
    set facts(next) {
      state.facts = next;
    },
  };
}

async function eventually(ask: () => boolean | Promise<boolean>): Promise<void> {
  await until('the nodes to settle it', async () => await ask());
}

async function active(event: string): Promise<readonly string[]> {
  return (await test.store.events.active()).filter((each) => each.event === event).map(({ node }) => node);
}

it('a node enters itself, and says goodbye when it stops', async () => {
  const gw1 = await join('gw1');
  const [listed] = await test.store.nodes.list();
  expect(listed).toMatchObject({ ...gw1.facts });
  expect(Math.abs(listed?.clock ?? Infinity)).toBeLessThan(1000);
  expect(listed?.stopped).toBeUndefined();
  await gw1.membership.close();
  expect((await test.store.nodes.list())[0]?.stopped).toBeInstanceOf(Date);
});

it('exactly one node is the control node; when it stops another takes over at once, when it dies within its lease', async () => {
  const gw1 = await join('gw1', { timezone: 'Asia/Tokyo' });
  const gw2 = await join('gw2', { timezone: 'Europe/Berlin' });
  const gw3 = await join('gw3', { timezone: 'America/New_York' });
  const leaders = (): readonly Member[] => [gw1, gw2, gw3].filter(({ membership }) => membership.control);
  expect(leaders()).toEqual([gw1]);
  expect(await test.store.nodes.control()).toMatchObject({ name: 'gw1', timezone: 'Asia/Tokyo', expired: false });
  await gw1.membership.close();
  await eventually(async () => {
    const control = await test.store.nodes.control();
    return control?.expired === false && control.name !== 'gw1';
  });
  const second = [gw2, gw3].find(({ membership }) => membership.control);
  const third = second === gw2 ? gw3 : gw2;
  expect(third.membership.control).toBe(false);
  second?.kill();
  await eventually(() => third.membership.control);
  expect(await test.store.nodes.control()).toMatchObject({ name: third.facts.name, timezone: third.facts.timezone });
  expect(second?.membership.control).toBe(false);
});

it('an admin chooses the control node: it takes over while the other one runs, and again when it comes back', async () => {
  const gw1 = await join('gw1');
  const gw2 = await join('gw2');
  expect(gw1.membership.control).toBe(true);
  await test.store.nodes.prefer('gw2');
  await eventually(() => gw2.membership.control && !gw1.membership.control);
  await test.store.nodes.prefer(undefined);
  await gw2.membership.close();
  await eventually(() => gw1.membership.control);
});

it('a node that died is unavailable until it is back; one that was stopped is not missed; a removed one is forgotten', async () => {
  await join('gw1');
  const identity = { installation: randomUUID(), run: randomUUID() };
  const gw2 = await join('gw2', {}, { identity });
  const gw3 = await join('gw3');
  await gw3.membership.close();
  gw2.kill();
  await eventually(async () => (await active('node-unavailable')).includes('gw2'));
  expect(await active('node-unavailable')).toEqual(['gw2']);
  const back = await join('gw2', {}, { identity: { ...identity, run: randomUUID() } });
  await eventually(async () => (await active('node-unavailable')).length === 0);
  back.kill();
  await eventually(async () => (await active('node-unavailable')).includes('gw2'));
  expect(await test.store.nodes.remove('gw2')).toBe(true);
  await eventually(async () => (await active('node-unavailable')).length === 0);
  expect((await test.store.nodes.list()).map(({ name }) => name)).toEqual(['gw1', 'gw3']);
});

it('what a node said of itself is over when it is forgotten, and not before', async () => {
  await join('gw1');
  const gw2 = await join('gw2');
  const since = new Date(Date.now() - 5000);
  const condition = { event: 'disk-low', node: 'gw2', subject: '', severity: 'error', detail: 'full' } as const;
  const told = { ...condition, first: since, last: since };
  await test.store.events.write([{ id: randomUUID(), change: 'raised', condition: told }], []);
  gw2.kill();
  await eventually(async () => (await active('node-unavailable')).includes('gw2'));
  expect(await active('disk-low')).toEqual(['gw2']);
  await test.store.nodes.remove('gw2');
  await eventually(async () => (await test.store.events.active()).length === 0);
});

it('what the dead control node has raised the next one resolves', async () => {
  const gw1 = await join('gw1');
  const gw2 = await join('gw2');
  const identity = { installation: randomUUID(), run: randomUUID() };
  const gw3 = await join('gw3', {}, { identity });
  gw3.kill();
  await eventually(async () => (await active('node-unavailable')).includes('gw3'));
  gw1.kill();
  await eventually(() => gw2.membership.control);
  await join('gw3', {}, { identity: { ...identity, run: randomUUID() } });
  await eventually(async () => (await active('node-unavailable')).join() === 'gw1');
  const { rows } = await raisedOf('gw3');
  expect(rows).toEqual(['raised', 'resolved']);
});

async function raisedOf(node: string): Promise<{ readonly rows: readonly string[] }> {
  const all = await test.store.events.transitions(0);
  const own = all.filter(({ condition }) => condition.event === 'node-unavailable' && condition.node === node);
  return { rows: own.slice(-2).map(({ change }) => change) };
}

it('rule sets that differ for longer than a while are an event until they are the same again', async () => {
  await join('gw1');
  const gw2 = await join('gw2');
  gw2.facts = { ...gw2.facts, rules: 'b2' };
  const before = performance.now();
  await eventually(async () => (await active('settings-differ')).includes('gw2'));
  expect(performance.now() - before).toBeGreaterThan(600);
  gw2.facts = { ...gw2.facts, rules: 'a1' };
  await eventually(async () => (await active('settings-differ')).length === 0);
});

it('a clock that is wrong is an event of its node, with by how much', async () => {
  const clock = { ahead: 7_500 };
  await join('gw1', {}, { now: () => Date.now() + clock.ahead });
  await eventually(async () => (await active('node-clock-skew')).includes('gw1'));
  const [condition] = (await test.store.events.active()).filter(({ event }) => event === 'node-clock-skew');
  expect(condition?.detail).toContain('7.5 s ahead');
  clock.ahead = 0;
  await eventually(async () => (await active('node-clock-skew')).length === 0);
});

it('a second live node of the same name is refused with what to change; the same one after a kill -9 is not', async () => {
  const data = await mkdtemp(path.join(folder, 'data-'));
  const gw1 = await join('gw1', {}, { identity: await nodeIdentity(data) });
  const refused = join('gw1');
  await expect(refused).rejects.toThrow(NameTakenError);
  await expect(refused).rejects.toThrow(/named gw1 runs already.*Set another `node\.name`/);
  gw1.kill();
  const again = await nodeIdentity(data);
  await expect(join('gw1', {}, { identity: again })).resolves.toBeDefined();
});

it('nodes that were cut off from the database, all of them, are not missed when it is back', async () => {
  const both = [await join('gw1'), await join('gw2')];
  const last = await test.store.events.lastTransition();
  for (const member of both) member.kill();
  await eventually(async () => (await test.store.nodes.list()).every(({ silence }) => silence > 1100));
  for (const member of both) member.revive();
  await eventually(async () => (await test.store.nodes.list()).every(({ silence }) => silence < 300));
  await eventually(() => both.some(({ membership }) => membership.control));
  const since = await test.store.events.transitions(last);
  expect(since.filter(({ condition }) => condition.event === 'node-unavailable')).toEqual([]);
});
