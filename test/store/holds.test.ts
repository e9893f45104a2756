import { afterAll, beforeAll, expect, it } from 'vitest';
import { Holds } from '../../src/notifications/holds.js';
import { openDatabase } from '../../src/store/database.js';
import { openHolds } from '../../src/store/holds.js';
import { silentLog } from '../../src/telemetry/log.js';
import { startTestStore, type TestStore } from '../support/postgres.js';
import { until } from '../support/until.js';

let test: TestStore;
let close: () => Promise<void>;
let stores: readonly [ReturnType<typeof openHolds>, ReturnType<typeof openHolds>];

beforeAll(async () => {
  test = await startTestStore();
  const database = openDatabase(test.store.connection, silentLog());
  close = async () => await database.close();
  stores = [openHolds(database), openHolds(database)];
});
afterAll(async () => {
  await close();
  await test.stop();
});

it('what one process has in hand no other gets, until it gives it back or is silent for too long', async () => {
  const [a, b] = stores;
  expect((await a.take(['x', 'y'], 60_000)).size).toBe(0);
  // Again by the same one.
  expect((await a.take(['y', 'x', 'x'], 60_000)).size).toBe(0);
  const refused = await b.take(['x', 'z'], 60_000);
  expect([...refused.keys()]).toEqual(['x']);
  expect(refused.get('x')).toBeGreaterThan(30_000);
  await b.release(['x']);
  expect((await b.take(['x'], 60_000)).size).toBe(1);
  await a.release(['x']);
  expect((await b.take(['x'], 1)).size).toBe(0);
  await until('its end', async () => (await a.take(['x'], 60_000)).size === 0);
  expect([...(await b.extend(['x', 'z'], 60_000))]).toEqual(['z']);
});

it('one that goes on is renewed', async () => {
  const [first, second] = stores;
  const holds = new Holds(first, silentLog(), { span: 60_000, renew: 50 });
  const hold = await holds.take('long');
  if ('wait' in hold) throw new Error('nobody else has it');
  const end = async (): Promise<number> => ((await second.take(['long'], 1)).get('long') ?? 0) + Date.now();
  const before = await end();
  await until('a later end', async () => (await end()) > before + 500);
  expect(hold.sure()).toBe(true);
  await hold.release();
  expect((await second.take(['long'], 1)).size).toBe(0);
});

it('one that cannot be renewed is not sure any more, and another gets it', async () => {
  const [first, second] = stores;
  const cutOff = { ...first, extend: async () => await Promise.reject(new Error('away')) };
  const hold = await new Holds(cutOff, silentLog(), { span: 400, renew: 50 }).take('away');
  if ('wait' in hold) throw new Error('nobody else has it');
  await until('the end of what is sure', () => Promise.resolve(!hold.sure()));
  await until('another to get it', async () => (await second.take(['away'], 60_000)).size === 0);
  await hold.release();
  expect((await first.take(['away'], 60_000)).size).toBe(1);
});
