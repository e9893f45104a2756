import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inWindow, parseDays, parseHours, zoneClock } from './time.js';

describe('days', () => {
  it.each([
    ['mon', [1]],
    ['Monday', [1]],
    ['mon-fri', [1, 2, 3, 4, 5]],
    ['sat-mon', [6, 0, 1]],
    ['sun-sat', [0, 1, 2, 3, 4, 5, 6]],
    ['mon-fry', undefined],
    ['mon-tue-wed', undefined],
    ['', undefined],
  ])('%j', (text, expected) => {
    expect(parseDays(text)).toEqual(expected);
  });
});

describe('hours', () => {
  it.each([
    ['08:00-18:00', { from: 480, to: 1080 }],
    ['22:00-06:00', { from: 1320, to: 360 }],
    ['00:00-24:00', { from: 0, to: 1440 }],
    ['24:00-06:00', undefined],
    ['08:00-25:00', undefined],
    ['08:60-18:00', undefined],
    ['08:00-08:00', undefined],
    ['8-18', undefined],
  ])('%j', (text, expected) => {
    expect(parseHours(text)).toEqual(expected);
  });
});

describe('a window', () => {
  const night = { days: [5], from: 22 * 60, to: 6 * 60 };

  it('that passes midnight belongs to the day on which it starts, and its end is exclusive', () => {
    expect(inWindow(night, { day: 5, minute: 22 * 60 })).toBe(true);
    expect(inWindow(night, { day: 6, minute: 5 * 60 + 59 })).toBe(true);
    expect(inWindow(night, { day: 6, minute: 6 * 60 })).toBe(false);
    expect(inWindow(night, { day: 5, minute: 5 * 60 })).toBe(false);
    expect(inWindow(night, { day: 6, minute: 22 * 60 })).toBe(false);
  });

  it('and its complement hold for every minute of the week exactly once', () => {
    const minute = fc.integer({ min: 0, max: 1439 });
    fc.assert(
      fc.property(minute, minute, fc.integer({ min: 0, max: 6 }), minute, (from, to, day, at) => {
        fc.pre(from !== to);
        const days = [0, 1, 2, 3, 4, 5, 6];
        const inside = inWindow({ days, from, to }, { day, minute: at });
        const outside = inWindow({ days, from: to, to: from }, { day, minute: at });
        expect(inside).toBe(!outside);
      }),
    );
  });
});

describe('the clock of a zone', () => {
  it.each([
    ['Europe/Berlin', '2026-11-18T23:30:00Z', { day: 4, minute: 30 }],
    ['UTC', '2026-11-18T23:30:00Z', { day: 3, minute: 23 * 60 + 30 }],
    ['Europe/Berlin', '2026-03-29T00:59:00Z', { day: 0, minute: 119 }],
    ['Europe/Berlin', '2026-03-29T01:00:00Z', { day: 0, minute: 180 }],
    ['Asia/Kathmandu', '2026-01-01T00:00:00Z', { day: 4, minute: 345 }],
  ])('%s at %s', (zone, time, expected) => {
    expect(zoneClock(zone)(Date.parse(time))).toEqual(expected);
  });
});
