import path from 'node:path';
import { ConfigError, formatPlace, formatProblem } from '../config/problems.js';
import { shownPath } from '../config/shown-path.js';
import { loadSetup, type Setup } from '../gateway/setup.js';
import { runCase, type CaseResult } from '../gateway/trial/cases.js';
import { startInspecting } from '../gateway/trial/inspecting.js';
import { ordered } from '../gateway/trial/ordered.js';
import { Coverage, uncoveredLines, type CoverageReport } from '../rules/cases/coverage.js';
import { caseFiles, loadCaseFiles } from '../rules/cases/folder.js';
import type { LoadedCases } from '../rules/cases/load.js';
import { readRulePlaces } from '../rules/cases/rule-places.js';
import type { TestCase } from '../rules/cases/types.js';
import { EXIT, UsageError } from './exit.js';
import { kindOfGiven } from './given.js';
import { progress } from './progress.js';
import { err, json, out, paint, table } from './terminal.js';

export interface TestOptions {
  readonly only?: readonly string[];
  readonly verbose?: boolean;
  readonly config?: string;
  readonly json?: boolean;
}

/** `gatepost test`: runs test cases through the rules as they stand. Nothing is sent, stored or queued. */
export async function test(files: readonly string[], options: TestOptions): Promise<void> {
  const setup = await loadSetup('trial', options.config);
  const { cases, problems } = await readCases(files, setup);
  const errors = problems.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) throw new ConfigError(problems);
  for (const problem of problems) err(formatProblem(problem));
  const chosen = chooseCases(cases, options.only);
  const { results, coverage } = await run(chosen, setup);
  const failed = results.filter(({ passed }) => !passed);
  process.exitCode = failed.length === 0 && results.length > 0 ? EXIT.good : EXIT.no;
  if (options.json === true) {
    json(asJson(results, coverage));
    return;
  }
  if (results.length === 0) {
    out(
      files.length > 0
        ? `There are no test cases in ${files.join(', ')}: they stand in files whose names end in .yaml.`
        : `There are no test cases: write them into ${path.join(setup.config.rules, 'tests')}, one file or several (*.yaml).`,
    );
    return;
  }
  for (const result of results) {
    if (!result.passed) printFailure(result);
    else if (options.verbose === true) out(`${paint('green', 'ok')}    ${result.test.name}`);
  }
  // A part of the cases says nothing about what all of them reach.
  if (options.only === undefined && files.length === 0) printCoverage(coverage);
  out(summary(results.length, failed.length));
}

async function run(
  cases: readonly TestCase[],
  setup: Setup,
): Promise<{ readonly results: readonly CaseResult[]; readonly coverage: CoverageReport }> {
  const { config, bundle } = setup;
  const coverage = new Coverage(bundle);
  const results: CaseResult[] = [];
  const inspecting = await startInspecting(setup, cases.length);
  const bar = progress('cases');
  try {
    for await (const result of ordered(
      cases,
      inspecting.width,
      async (test) => await runCase(test, inspecting, config, coverage),
    )) {
      results.push(result);
      bar.update(results.length, results.length / cases.length);
    }
  } finally {
    bar.clear();
    await inspecting.close();
  }
  const places = await readRulePlaces(config.rules, shownPath(config.rules, config.folder));
  return { results, coverage: coverage.report(places) };
}

/** The named files, or all of `rules/tests`. */
async function readCases(files: readonly string[], { config, bundle, specs }: Setup): Promise<LoadedCases> {
  const context = {
    modules: new Map(specs.map((spec) => [spec.name, spec.statuses])),
    rules: bundle.rules.map(({ id }) => id),
    timezone: config.node.timezone,
  };
  const wanted = files.length > 0 ? await namedFiles(files) : await caseFiles(path.join(config.rules, 'tests'));
  return await loadCaseFiles(wanted, config.folder, context);
}

async function namedFiles(files: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const file of files) {
    const isFolder = (await kindOfGiven(file)) === 'folder';
    found.push(...(isFolder ? await caseFiles(path.resolve(file)) : [path.resolve(file)]));
  }
  return found;
}

/** Cases whose name holds one of the texts. */
function chooseCases(cases: readonly TestCase[], only: readonly string[] | undefined): readonly TestCase[] {
  if (only === undefined) return cases;
  const wanted = only.map((text) => text.toLowerCase());
  const chosen = cases.filter(({ name }) => wanted.some((text) => name.toLowerCase().includes(text)));
  if (chosen.length === 0)
    throw new UsageError(`--only: no case has ${only.map((t) => `"${t}"`).join(' or ')} in its name`);
  return chosen;
}

function printFailure({ test, failed, error }: CaseResult): void {
  out(`${paint('red', 'FAIL')}  ${paint('bold', test.name)}  ${paint('dim', formatPlace(test.place))}`);
  if (error !== undefined) out(`        ${error}`);
  for (const { recipient, differences } of failed) {
    out(`      ${recipient}`);
    const lines = table(differences, [
      { title: '', value: ({ key }) => key },
      { title: 'expected', value: ({ expected }) => expected, max: 60 },
      { title: 'got', value: ({ got }) => got, max: 60 },
      { title: '', value: ({ why }) => why ?? '', max: 120 },
    ]);
    out(lines.replace(/^/gm, '        '));
  }
  out();
}

function printCoverage(coverage: CoverageReport): void {
  if (coverage.total === 0) {
    const why =
      coverage.disabled.length > 0 ? 'all rules of the folder are turned off' : 'there are no rules of your own';
    out(`${paint('bold', 'Coverage')}  nothing to cover: ${why}`);
    return;
  }
  const lines = uncoveredLines(coverage);
  const percent = Math.floor((coverage.covered / coverage.total) * 100);
  const colour = lines.length === 0 ? 'green' : 'yellow';
  out(
    `${paint('bold', 'Coverage')}  ${paint(colour, `${percent} %`)}: ${coverage.covered} of ${coverage.total} rules and responses`,
  );
  if (lines.length > 0) out(`No case touches\n${lines.map((line) => `  ${line}`).join('\n')}`);
  if (coverage.disabled.length > 0) out(`Turned off and not counted: ${coverage.disabled.join(', ')}`);
}

function summary(total: number, failed: number): string {
  const cases = `${total} case${total === 1 ? '' : 's'}`;
  return failed === 0
    ? `${paint('green', 'Good')}: ${cases} passed.`
    : `${paint('red', 'Not good')}: ${failed} of ${cases} failed.`;
}

function asJson(results: readonly CaseResult[], coverage: CoverageReport): unknown {
  const failed = results.filter(({ passed }) => !passed).length;
  return {
    ok: failed === 0 && results.length > 0,
    passed: results.length - failed,
    failed,
    cases: results.map(({ test, passed, failed: recipients, error }) => ({
      name: test.name,
      file: test.place.file,
      line: test.place.line,
      passed,
      ...(error === undefined ? {} : { error }),
      recipients,
    })),
    coverage: {
      covered: coverage.covered,
      total: coverage.total,
      missing: coverage.items
        .filter(({ covered }) => !covered)
        .map(({ rule, response, place }) => ({
          rule,
          ...(response === undefined ? {} : { response }),
          file: place.file,
          line: place.line,
          column: place.column,
        })),
      disabled: coverage.disabled,
    },
  };
}
