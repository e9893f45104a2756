import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addDays, dateAt, instantOf, offsetAt } from './wall-clock.js';

const iso = (time: number): string => new Date(time).toISOString();

describe('instantOf', () => {
  it.each([
    ['2026-11-21', 0, 'Europe/Berlin', '2026-11-20T23:00:00.000Z'],
    ['2026-07-01', 90, 'Europe/Berlin', '2026-06-30T23:30:00.000Z'],
    ['2026-11-21', 0, 'UTC', '2026-11-21T00:00:00.000Z'],
    ['2026-11-21', 0, 'Asia/Kathmandu', '2026-11-20T18:15:00.000Z'],
    // The clocks leap from 02:00 to 03:00.
    ['2026-03-29', 150, 'Europe/Berlin', '2026-03-29T01:00:00.000Z'],
    // 02:30 is there twice.
    ['2026-10-25', 150, 'Europe/Berlin', '2026-10-25T00:30:00.000Z'],
    // Midnight itself is leapt over.
    ['2026-09-06', 0, 'America/Santiago', '2026-09-06T04:00:00.000Z'],
    // A day that was left out as a whole: its midnight is the next day's.
    ['2011-12-30', 0, 'Pacific/Apia', '2011-12-30T10:00:00.000Z'],
    // Half an hour of daylight saving.
    ['2026-10-04', 135, 'Australia/Lord_Howe', '2026-10-03T15:30:00.000Z'],
  ])('%s and %d minutes in %s is %s', (date, minutes, zone, expected) => {
    expect(iso(instantOf(date, minutes, zone))).toBe(expected);
  });

  it('shows the time that was asked for, or is the first moment behind a leap', () => {
    const zones = fc.constantFrom('Europe/Berlin', 'America/New_York', 'America/Santiago', 'Asia/Tehran', 'UTC');
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 20_000 }),
        fc.integer({ min: 0, max: 1439 }),
        zones,
        (day, minutes, zone) => {
          const date = iso(day * 86_400_000).slice(0, 10);
          const wanted = day * 86_400_000 + minutes * 60_000;
          const instant = instantOf(date, minutes, zone);
          const shown = instant + offsetAt(instant, zone);
          if (shown !== wanted) {
            const justBefore = instant - 1 + offsetAt(instant - 1, zone);
            return shown > wanted && justBefore < wanted;
          }
          // No earlier moment of the day shows the same.
          return instant - 3_600_000 + offsetAt(instant - 3_600_000, zone) !== wanted;
        },
      ),
      { numRuns: 300 },
    );
  });
});

it('dateAt and addDays keep to the calendar', () => {
  expect(dateAt(Date.parse('2026-11-20T23:00:00Z'), 'Europe/Berlin')).toBe('2026-11-21');
  expect(dateAt(Date.parse('2026-11-20T22:59:59Z'), 'Europe/Berlin')).toBe('2026-11-20');
  expect(addDays('2026-03-01', -1)).toBe('2026-02-28');
  expect(addDays('2026-12-31', 1)).toBe('2027-01-01');
});
