import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { silentLog } from '../telemetry/log.js';
import { Breaker } from './breaker.js';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function setUp() {
  const state = { up: false, probes: 0, back: 0 };
  const breaker = new Breaker({
    name: 'smtp://h:25',
    probe: () => {
      state.probes += 1;
      return state.up ? Promise.resolve() : Promise.reject(new Error('down'));
    },
    onBack: () => {
      state.back += 1;
    },
    log: silentLog(),
  });
  return { state, breaker };
}

test('opens at the fifth failure in a row; a success in between starts anew', () => {
  const { breaker } = setUp();
  for (let count = 0; count < 4; count += 1) breaker.failed();
  breaker.succeeded();
  for (let count = 0; count < 4; count += 1) breaker.failed();
  expect(breaker.open).toBe(false);
  breaker.failed();
  expect(breaker.open).toBe(true);
  breaker.close();
});

test('probes every ten seconds from the first failure on, and says when the hop is back', async () => {
  const { state, breaker } = setUp();
  for (let count = 0; count < 5; count += 1) breaker.failed();
  await vi.advanceTimersByTimeAsync(35_000);
  expect(state).toMatchObject({ probes: 3, back: 0 });
  state.up = true;
  await vi.advanceTimersByTimeAsync(10_000);
  expect(state).toMatchObject({ probes: 4, back: 1 });
  expect(breaker.open).toBe(false);
  breaker.failed();
  expect(breaker.open).toBe(true);
  breaker.close();
});

test('a hop that answers probes and fails at mail is probed more and more rarely, until a mail gets through', async () => {
  const { state, breaker } = setUp();
  state.up = true;
  for (let count = 0; count < 10; count += 1) {
    breaker.failed();
    await vi.advanceTimersByTimeAsync(300_000);
  }
  const before = state.probes;
  breaker.failed();
  await vi.advanceTimersByTimeAsync(299_000);
  expect(state.probes).toBe(before);
  breaker.succeeded();
  breaker.failed();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(state.probes).toBe(before + 1);
  breaker.close();
});

test('suspect probes at once; after close nothing happens any more', async () => {
  const { state, breaker } = setUp();
  breaker.suspect();
  await vi.advanceTimersByTimeAsync(0);
  expect(state.probes).toBe(1);
  breaker.close();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(state.probes).toBe(1);
});

test('suspect probes a hop at once of which it is known that it is away, and does not probe it twice at a time', async () => {
  const { state, breaker } = setUp();
  state.up = true;
  for (let count = 0; count < 10; count += 1) {
    breaker.failed();
    await vi.advanceTimersByTimeAsync(300_000);
  }
  for (let count = 0; count < 5; count += 1) breaker.failed();
  expect(breaker.open).toBe(true);
  const before = state.probes;
  breaker.suspect();
  breaker.suspect();
  await vi.advanceTimersByTimeAsync(0);
  expect(state.probes).toBe(before + 1);
  expect(breaker.open).toBe(false);
  breaker.close();
});

test('a probe that is under way is enough for suspect', async () => {
  let answer: (() => void) | undefined;
  let probes = 0;
  let back = 0;
  const breaker = new Breaker({
    name: 'smtp://h:25',
    probe: async () => {
      probes += 1;
      await new Promise<void>((resolve) => (answer = resolve));
    },
    onBack: () => {
      back += 1;
    },
    log: silentLog(),
  });
  breaker.failed();
  await vi.advanceTimersByTimeAsync(10_000);
  breaker.suspect();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(probes).toBe(1);
  answer?.();
  await vi.advanceTimersByTimeAsync(60_000);
  expect([probes, back]).toEqual([1, 1]);
  breaker.close();
});

function setUpTelling() {
  const told: string[] = [];
  const state = { up: true };
  const breaker = new Breaker({
    name: 'smtp://h:25',
    probe: () => (state.up ? Promise.resolve() : Promise.reject(new Error('refused'))),
    onBack: () => undefined,
    onDown: (reason) => told.push(`down ${reason}`),
    onUp: () => told.push('up'),
    log: silentLog(),
  });
  return { told, state, breaker };
}

test('what no mail has failed at is well as soon as it answers', async () => {
  const { told, state, breaker } = setUpTelling();
  state.up = false;
  await breaker.check();
  state.up = true;
  await vi.advanceTimersByTimeAsync(10_000);
  expect(told).toEqual(['down refused', 'up']);
  breaker.close();
});

test('what mail has failed at is well by mail', () => {
  const { told, breaker } = setUpTelling();
  breaker.failed('421 no');
  breaker.succeeded();
  expect(told).toEqual(['down 421 no', 'up']);
  breaker.close();
});

test('what mail has failed at, and no mail goes to, is well a minute after it answers', async () => {
  const { told, state, breaker } = setUpTelling();
  state.up = false;
  breaker.failed('421 no');
  await vi.advanceTimersByTimeAsync(10_000);
  state.up = true;
  await vi.advanceTimersByTimeAsync(10_000 + 59_000);
  expect(told).toEqual(['down 421 no', 'down refused']);
  await vi.advanceTimersByTimeAsync(1000);
  expect(told.splice(0)).toEqual(['down 421 no', 'down refused', 'up']);
  breaker.close();
});

test('what answers and fails again at the mail that waited was never well, and is so a quarter of an hour after the last', async () => {
  const { told, breaker } = setUpTelling();
  breaker.failed('421 no');
  await vi.advanceTimersByTimeAsync(10_000);
  breaker.failed('421 no');
  for (let minute = 0; minute < 14; minute += 1) {
    await vi.advanceTimersByTimeAsync(60_000);
    await breaker.check();
  }
  expect(told.splice(0)).toEqual(['down 421 no', 'down 421 no']);
  await vi.advanceTimersByTimeAsync(120_000);
  expect(told[0]).toBe('up');
  breaker.close();
});

test('a time without failures ends when the hop answers no more', async () => {
  const { told, state, breaker } = setUpTelling();
  breaker.failed('421 no');
  await vi.advanceTimersByTimeAsync(30_000);
  state.up = false;
  await breaker.check();
  await vi.advanceTimersByTimeAsync(120_000);
  expect(new Set(told)).toEqual(new Set(['down 421 no', 'down refused']));
  breaker.close();
});
