import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatProblem } from '../../src/config/problems.js';
import { failuresOf, runCasesOf, type CasesRun } from './run-cases.js';

const SHIPPED = path.join(import.meta.dirname, '../../rules');

describe('`gatepost test` on a fresh installation', () => {
  let folder = '';
  let run: CasesRun = { problems: [], results: [], uncovered: [] };

  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'gatepost-shipped-'));
    await writeFile(path.join(folder, 'gatepost.yaml'), `rules: ${SHIPPED}\n`);
    run = await runCasesOf(folder);
  });

  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it('has nothing to complain of', () => {
    expect(run.problems.map(formatProblem)).toEqual([]);
  });

  it('runs all cases, and none fails', () => {
    expect(run.results.length).toBeGreaterThan(20);
    expect(failuresOf(run)).toEqual([]);
  });

  it('reaches every rule and every response', () => {
    expect(run.uncovered).toEqual([]);
  });
});
