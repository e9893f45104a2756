import { decodeTime } from 'ulid';
import { expect, test } from 'vitest';
import { newTraceId } from './trace-id.js';

const T0 = Date.UTC(2040, 0, 1);

test('IDs sort in the order of their making, also while the clock goes back a little', () => {
  const made = [T0, T0, T0 - 1000, T0 - 59_000, T0 + 1].map((time) => newTraceId(time));
  expect([...made].sort()).toEqual(made);
  expect(new Set(made).size).toBe(made.length);
});

test('a clock that was far ahead marks no later ID', () => {
  newTraceId(T0 + 86_400_000);
  expect(decodeTime(newTraceId(T0))).toBe(T0);
  const now = Date.now();
  expect(decodeTime(newTraceId(now))).toBe(now);
});
