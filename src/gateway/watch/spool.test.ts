import { describe, expect, it } from 'vitest';
import type { SpoolState } from '../../delivery/types.js';
import { backlogOf, diskLow } from './spool.js';

const LIFETIME = 3 * 86_400_000;
const NOW = Date.parse('2026-11-21T12:00:00Z');
const empty: SpoolState = { items: 0, bytes: 0, freeDisk: 10_000, maxItems: 100, maxSize: 1000, minFreeDisk: 1000 };

describe('a backlog of the spool', () => {
  it('begins at 90 % of a limit and is over below 80 %', () => {
    for (const key of ['items', 'bytes'] as const) {
      const of = (part: number): SpoolState => ({ ...empty, [key]: (key === 'items' ? 100 : 1000) * part });
      expect(backlogOf(of(0.89), LIFETIME, NOW, false)).toBeUndefined();
      expect(backlogOf(of(0.9), LIFETIME, NOW, false)).toContain('answered 452');
      expect(backlogOf(of(0.81), LIFETIME, NOW, true)).toContain('answered 452');
      expect(backlogOf(of(0.79), LIFETIME, NOW, true)).toBeUndefined();
    }
  });

  it('also when mail has waited a third of its lifetime', () => {
    const waiting = (hours: number): SpoolState => ({ ...empty, items: 1, oldest: new Date(NOW - hours * 3_600_000) });
    expect(backlogOf(waiting(23.9), LIFETIME, NOW, false)).toBeUndefined();
    expect(backlogOf(waiting(24), LIFETIME, NOW, false)).toContain('given up after 3 d');
  });
});

it('the disk is low at its limit, and only well again a little above it', () => {
  expect(diskLow({ ...empty, freeDisk: 1001 }, false)).toBeUndefined();
  expect(diskLow({ ...empty, freeDisk: 1000 }, false)).toContain('452');
  expect(diskLow({ ...empty, freeDisk: 1040 }, true)).toContain('452');
  expect(diskLow({ ...empty, freeDisk: 1060 }, true)).toBeUndefined();
  const { freeDisk, ...unknown } = empty;
  expect(freeDisk).toBeDefined();
  expect(diskLow(unknown, false)).toBeUndefined();
});
