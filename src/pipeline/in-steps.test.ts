import v8 from 'node:v8';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { clearUpInSteps } from './in-steps.js';

let busy: number;
let asked: number;
let limit: number;
let given: boolean;

beforeEach(() => {
  busy = 0.5;
  asked = 0;
  limit = 2 ** 31;
  given = true;
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  vi.spyOn(performance, 'eventLoopUtilization').mockImplementation((_, since) => ({
    idle: 0,
    active: 0,
    utilization: since === undefined ? 0 : busy,
  }));
  const statistics = v8.getHeapStatistics();
  vi.spyOn(v8, 'getHeapStatistics').mockImplementation(() => ({ ...statistics, heap_size_limit: limit }));
  const none = Buffer.alloc(0);
  vi.spyOn(Buffer, 'allocUnsafeSlow').mockImplementation(() => {
    asked++;
    if (!given) throw new RangeError('Array buffer allocation failed');
    return none;
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** @returns how often V8 was asked in that time */
function seconds(count: number): number {
  asked = 0;
  vi.advanceTimersByTime(count * 1000);
  return asked;
}

it('asks once a minute while the thread is busy, and not in the first one', () => {
  clearUpInSteps();
  expect([seconds(59), seconds(2), seconds(58), seconds(1), seconds(600)]).toEqual([0, 1, 0, 1, 10]);
});

it('leaves a thread alone that is not busy, and asks when it is so again', () => {
  clearUpInSteps();
  busy = 0.009;
  expect(seconds(300)).toBe(0);
  busy = 0.01;
  expect(seconds(5)).toBe(1);
});

it('leaves a heap alone for which that would be too much', () => {
  clearUpInSteps();
  limit = 128 * 2 ** 20;
  expect(seconds(300)).toBe(0);
});

it('goes on where the system does not give the memory', () => {
  clearUpInSteps();
  given = false;
  expect(seconds(190)).toBe(3);
});

it('asks no more when it has ended', async () => {
  await clearUpInSteps().close();
  expect(seconds(300)).toBe(0);
});
