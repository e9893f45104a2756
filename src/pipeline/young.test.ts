import v8 from 'node:v8';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { keepYoungRoom } from './young.js';

const MB = 2 ** 20;
const MOST = 32;

/** What the thread's looks find, MiB and the share of its time in which it is busy. */
const thread = { room: 0, busy: 0 };
let asked: number;

beforeEach(() => {
  asked = 0;
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  vi.spyOn(performance, 'eventLoopUtilization').mockImplementation((_, since) => ({
    idle: 0,
    active: 0,
    utilization: since === undefined ? 0 : thread.busy,
  }));
  const spaces = v8.getHeapSpaceStatistics();
  vi.spyOn(v8, 'getHeapSpaceStatistics').mockImplementation(() =>
    spaces.map((space) => (space.space_name === 'new_space' ? { ...space, space_size: thread.room * MB } : space)),
  );
  vi.spyOn(v8, 'setFlagsFromString').mockImplementation(() => {
    asked++;
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** A thread whose start is over. */
function keep(): { close(): Promise<void> } {
  const keeper = keepYoungRoom(0.3);
  thread.busy = 0;
  vi.advanceTimersByTime(30_000);
  return keeper;
}

/** Several looks. @returns how often more room was asked for in them */
function looks(room: number, busy = 0.5): number {
  Object.assign(thread, { room, busy });
  asked = 0;
  vi.advanceTimersByTime(60_000);
  return asked;
}

/** One look. */
function look(room: number, busy = 0.5): number {
  Object.assign(thread, { room, busy });
  asked = 0;
  vi.advanceTimersByTime(5_000);
  return asked;
}

it('asks for more while there is less than V8 may give', () => {
  keep();
  expect([look(2), look(4), look(16), look(MOST)]).toEqual([1, 1, 1, 0]);
});

it('asks again each time that V8 has taken it back', () => {
  keep();
  expect([looks(MOST), look(2), looks(MOST), look(4), looks(MOST)]).toEqual([0, 1, 0, 1, 0]);
});

it('leaves the start alone, which is always busy', () => {
  keepYoungRoom(0.3);
  Object.assign(thread, { room: 2, busy: 0.9 });
  vi.advanceTimersByTime(29_000);
  expect(asked).toBe(0);
  vi.advanceTimersByTime(2_000);
  expect(asked).toBe(1);
});

it('leaves a thread alone that is not busy', () => {
  keep();
  expect([looks(2, 0.29), look(2, 0.3)]).toEqual([0, 1]);
});

it('asks again after a rest in which V8 has taken it back', () => {
  keep();
  expect([look(2), look(16, 0.1), looks(2, 0.1), look(2)]).toEqual([1, 0, 0, 1]);
});

it('asks for what V8 does not give once in five minutes', () => {
  keep();
  expect([look(4), looks(4), looks(4), looks(4), looks(4), look(4), look(4)]).toEqual([1, 0, 0, 0, 0, 0, 0]);
  expect([looks(4), looks(4)]).toEqual([1, 0]);
});

it('asks no more when it has ended', async () => {
  await keep().close();
  expect(looks(2)).toBe(0);
});
