import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { watchSilence } from './silence.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('one that answers, however late, is left alone; one that says nothing is told of once, after all questions', () => {
  const told = vi.fn();
  const asked = vi.fn();
  const watch = watchSilence(asked, told, { interval: 1000, most: 3 });
  for (let i = 0; i < 5; i++) {
    vi.advanceTimersByTime(3000);
    watch.heard();
  }
  expect([asked.mock.calls.length, told.mock.calls.length]).toEqual([15, 0]);
  vi.advanceTimersByTime(3999);
  expect(told).not.toHaveBeenCalled();
  vi.advanceTimersByTime(60_000);
  expect([asked.mock.calls.length, told.mock.calls.length]).toEqual([18, 1]);
});

it('one that was stopped is asked no more', () => {
  const told = vi.fn();
  const watch = watchSilence(() => undefined, told, { interval: 1000, most: 1 });
  watch.stop();
  vi.advanceTimersByTime(10_000);
  expect(told).not.toHaveBeenCalled();
});
