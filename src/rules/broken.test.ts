import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { DEFAULTS } from '../../test/rules/load.js';
import { formatProblem, sortProblems } from '../config/problems.js';
import { loadRules } from './load.js';

/** One folder for each mistake: a rule folder, and beside it what is said about it. */
const BROKEN = path.join(import.meta.dirname, '../../test/rules/broken');
const TEMPLATES = new Set(['rule-general', 'rule-sender', 'rule-recipients', 'rule-additional']);

const cases = await readdir(BROKEN);

describe('a broken rule set', () => {
  it('has a case for each of many mistakes', () => {
    expect(cases.length).toBeGreaterThan(180);
  });

  it.each(cases)('%s is told with its place and what was probably meant', async (name) => {
    const folder = path.join(BROKEN, name);
    const { bundle, problems } = await loadRules(path.join(folder, 'rules'), {
      ...DEFAULTS,
      displayRoot: folder,
      templates: TEMPLATES,
      generalConfigured: name !== 'warn-general',
    });
    expect(bundle === undefined).toBe(problems.some(({ severity }) => severity === 'error'));
    expect(bundle === undefined, 'cases of warnings, and they alone, are named so').toBe(!name.startsWith('warn-'));
    const said = `${sortProblems(problems).map(formatProblem).join('\n')}\n`;
    expect(said).toMatch(/^rules\/[\w./ -]+:\d+:\d+: (error|warning): /);
    await expect(said).toMatchFileSnapshot(path.join(folder, 'expected.txt'));
  });
});
