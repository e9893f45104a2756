import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { ANOMALIES } from './anomalies.js';

/** Names in the first column of the tables. */
const documented = readFileSync(path.join(import.meta.dirname, '../../docs/anomalies.md'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .flatMap((line) => Array.from((line.split('|')[1] ?? '').matchAll(/`([a-z0-9-]+)`/g), (hit) => hit[1] ?? ''));

describe('docs/anomalies.md', () => {
  // That the code names no others is what the type of AnomalyLog.add holds.
  it('has a line for every anomaly, and for nothing else', () => {
    expect(documented.toSorted()).toEqual([...ANOMALIES].sort());
  });
});
