import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { Problem } from '../../src/config/problems.js';
import { loadSetup } from '../../src/gateway/setup.js';
import { runCase, type CaseResult } from '../../src/gateway/trial/cases.js';
import { startInspecting } from '../../src/gateway/trial/inspecting.js';
import { Coverage, uncoveredLines } from '../../src/rules/cases/coverage.js';
import { loadCases } from '../../src/rules/cases/load.js';
import { readRulePlaces } from '../../src/rules/cases/rule-places.js';

export interface CasesRun {
  /** Of the configuration, the rules and the cases; with an error in the cases none of them runs. */
  readonly problems: readonly Problem[];
  readonly results: readonly CaseResult[];
  /** Rules and responses that no case touches, for people. */
  readonly uncovered: readonly string[];
}

/**
 * What `gatepost test` does in a folder with a gatepost.yaml, in this process.
 * @throws ConfigError when the settings have an error
 */
export async function runCasesOf(folder: string): Promise<CasesRun> {
  const setup = await loadSetup('trial', path.join(folder, 'gatepost.yaml'));
  const { config, bundle, specs, warnings } = setup;
  const tests = path.join(config.rules, 'tests');
  const files = (await readdir(tests)).filter((name) => name.endsWith('.yaml')).sort();
  const context = {
    modules: new Map(specs.map((spec) => [spec.name, spec.statuses])),
    rules: bundle.rules.map(({ id }) => id),
    timezone: config.node.timezone,
  };
  const loaded = await Promise.all(
    files.map(async (name) => await loadCases(path.join(tests, name), `rules/tests/${name}`, context)),
  );
  const cases = loaded.flatMap((one) => one.cases);
  const coverage = new Coverage(bundle);
  const results: CaseResult[] = [];
  const inspecting = await startInspecting(setup, cases.length);
  try {
    for (const one of cases) results.push(await runCase(one, inspecting, config, coverage));
  } finally {
    await inspecting.close();
  }
  const places = await readRulePlaces(config.rules, 'rules');
  return {
    problems: [...warnings, ...loaded.flatMap((one) => one.problems)],
    results,
    uncovered: uncoveredLines(coverage.report(places)),
  };
}

/** The cases that failed, in a form that a failing test shows well. */
export function failuresOf({ results }: CasesRun): unknown[] {
  return results
    .filter(({ passed }) => !passed)
    .map(({ test, failed, error }) => ({ name: test.name, line: test.place.line, failed, error }));
}
