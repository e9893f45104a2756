import fc from 'fast-check';
import { expect, test } from 'vitest';
import { retryDelay, whileAway } from './schedule.js';

const START = Date.parse('2030-01-01T00:00:00Z');
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const RETRY = { delays: [MINUTE, 5 * MINUTE, HOUR], lifetime: 5 * 24 * HOUR };
const FACTS = { since: START, last: START, owesDelay: true };

test('delays grow, the last one repeats, and jitter stays within a tenth', () => {
  expect([1, 2, 3, 9].map((attempts) => retryDelay(RETRY.delays, attempts, 0.5))).toEqual([
    MINUTE,
    5 * MINUTE,
    HOUR,
    HOUR,
  ]);
  expect([retryDelay([1000], 1, 0), retryDelay([1000], 1, 1)]).toEqual([900, 1100]);
});

test('while its hop is away an item rests for as long again as it has waited, within the delays', () => {
  const rest = (minutes: number): number =>
    ((whileAway(FACTS, RETRY, START + minutes * MINUTE, 0.5) ?? 0) - START) / MINUTE - minutes;
  expect([0, 1, 2, 16, 59, 61, 600].map(rest)).toEqual([1, 1, 2, 16, 59, 60, 60]);
});

test('it is looked at when somebody is to be told that it is late, once, and when its time is over', () => {
  const retry = { ...RETRY, warnAfter: 4 * HOUR };
  expect(whileAway(FACTS, retry, START + 3.9 * HOUR, 0.5)).toBe(START + 4 * HOUR);
  expect(whileAway(FACTS, retry, START + 4 * HOUR)).toBeUndefined();
  expect(whileAway({ ...FACTS, owesDelay: false }, retry, START + 4 * HOUR, 0.5)).toBe(START + 5 * HOUR);
  expect(whileAway(FACTS, { ...retry, warnAfter: 'off' as const }, START + 4 * HOUR, 0.5)).toBe(START + 5 * HOUR);
  expect(whileAway(FACTS, RETRY, START + RETRY.lifetime - MINUTE, 0.5)).toBe(START + RETRY.lifetime);
  expect(whileAway(FACTS, RETRY, START + RETRY.lifetime)).toBeUndefined();
});

test('in an outage of any length it is looked at a few times, never late for what is to be told, and never at once again', () => {
  const delays = fc.array(fc.integer({ min: MINUTE, max: 6 * HOUR }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(
      delays,
      fc.integer({ min: MINUTE, max: 10 * 24 * HOUR }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (given, lifetime, random) => {
        const retry = { delays: [...given].sort((a, b) => a - b), lifetime };
        const longest = retry.delays.at(-1) ?? 0;
        let now = START;
        let looks = 0;
        for (let next = whileAway(FACTS, retry, now, random); next !== undefined; looks++) {
          expect(next).toBeGreaterThan(now);
          expect(next).toBeLessThanOrEqual(START + lifetime);
          now = next;
          next = whileAway(FACTS, retry, now, random);
        }
        expect(now).toBe(START + lifetime);
        expect(looks).toBeLessThanOrEqual(lifetime / (0.89 * longest) + 2 * Math.log2(longest / MINUTE) + 3);
      },
    ),
  );
});
