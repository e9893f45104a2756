import { describe, expect, it } from 'vitest';
import { parseMoment } from './moment.js';

const shown = (text: string, zone = 'Europe/Berlin'): string | undefined => {
  const time = parseMoment(text, zone);
  return time === undefined ? undefined : new Date(time).toISOString();
};

describe('a moment as people write it', () => {
  it.each([
    ['2026-11-21T17:05:09Z', '2026-11-21T17:05:09.000Z'],
    ['2026-11-21T17:05+01:00', '2026-11-21T16:05:00.000Z'],
    ['2026-11-21T17:05-0530', '2026-11-21T22:35:00.000Z'],
    ['2026-11-21T17:05', '2026-11-21T16:05:00.000Z'],
    ['2026-07-01 08:00', '2026-07-01T06:00:00.000Z'],
    ['2026-07-01', '2026-06-30T22:00:00.000Z'],
    // Clocks are put back in this night: half past two is there twice.
    ['2026-10-25T02:30', '2026-10-25T00:30:00.000Z'],
    ['2026-10-25T03:30', '2026-10-25T02:30:00.000Z'],
  ])('%s is %s', (text, iso) => {
    expect(shown(text)).toBe(iso);
  });

  it.each(['', 'noon', '17:05', '2026-02-31', '2026-13-01T00:00', '2026-11-21T25:00', '21.11.2026'])(
    '%j is none',
    (text) => {
      expect(shown(text)).toBeUndefined();
    },
  );

  it('is read in the zone that is given', () => {
    expect(shown('2026-11-21T17:05', 'America/New_York')).toBe('2026-11-21T22:05:00.000Z');
    expect(shown('2026-11-21T17:05', 'UTC')).toBe('2026-11-21T17:05:00.000Z');
  });
});
