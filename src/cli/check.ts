import path from 'node:path';
import { readConfig } from '../config/load.js';
import { formatProblem, sortProblems, type Problem } from '../config/problems.js';
import { readSetup } from '../gateway/setup.js';
import { caseFiles, loadCaseFiles } from '../rules/cases/folder.js';
import { EXIT } from './exit.js';
import { err, json, out, paint } from './terminal.js';

/** All that is found in the files that an admin edits. */
interface Findings {
  /** Of the configuration, rules, lists and templates. */
  readonly settings: readonly Problem[];
  /** Of the test cases: they hold nothing up but `gatepost test`. */
  readonly cases: readonly Problem[];
  /** Absent when something of the settings is wrong. */
  readonly good?: { readonly rules: number; readonly folder: string };
  /** There is no configuration to check. */
  readonly unread?: true;
}

/** `gatepost check`: every mistake at once, of the test cases too. Warnings alone leave the exit status 0. */
export async function check(options: { readonly config?: string; readonly json?: boolean }): Promise<void> {
  const { settings, cases, good, unread } = await look(options.config);
  const problems = sortProblems([...settings, ...cases]);
  const errors = count(problems, 'error');
  process.exitCode = unread === true ? EXIT.usage : errors > 0 ? EXIT.no : EXIT.good;
  if (options.json === true) {
    json({ ok: errors === 0, problems });
    return;
  }
  if (unread === true) {
    err(problems.map(formatProblem).join('\n'));
    return;
  }
  for (const problem of problems) out(coloured(problem));
  if (problems.length > 0) out();
  const warnings = problems.length - errors;
  const counts = [errors > 0 ? plural(errors, 'error') : '', warnings > 0 ? plural(warnings, 'warning') : '']
    .filter((t) => t !== '')
    .join(', ');
  const bad = paint('red', 'Not good');
  if (good === undefined) out(`${bad}: ${counts}. Nothing of it can be put in force before the errors are mended.`);
  else if (errors > 0)
    out(`${bad}: ${counts}. The rules can be put in force; the errors are in test cases, which do not run with them.`);
  else
    out(
      `${paint('green', 'Good')}: ${plural(good.rules, 'rule')} in ${good.folder}${counts === '' ? '' : `; ${counts}`}.`,
    );
}

async function look(file: string | undefined): Promise<Findings> {
  const { config, problems: own, unread } = await readConfig(file);
  if (config === undefined) return { settings: own, cases: [], ...(unread === undefined ? {} : { unread }) };
  const { bundle, specs, problems } = await readSetup('gateway', config);
  const context = {
    modules: new Map(specs.map((spec) => [spec.name, spec.statuses])),
    timezone: config.node.timezone,
    ...(bundle === undefined ? {} : { rules: bundle.rules.map(({ id }) => id) }),
  };
  const { problems: cases } = await loadCaseFiles(
    await caseFiles(path.join(config.rules, 'tests')),
    config.folder,
    context,
  );
  // Where the configuration itself is wrong, values of it are missing: what that makes doubtful is not worth a warning.
  const isWhole = count(own, 'error') === 0;
  const settings = [...own, ...problems.filter(({ severity }) => isWhole || severity === 'error')];
  if (bundle === undefined || count(settings, 'error') > 0) return { settings, cases };
  return { settings, cases, good: { rules: bundle.rules.length, folder: config.rules } };
}

function count(problems: readonly Problem[], wanted: Problem['severity']): number {
  return problems.filter(({ severity }) => severity === wanted).length;
}

function coloured(problem: Problem): string {
  const colour = problem.severity === 'error' ? 'red' : 'yellow';
  return formatProblem(problem).replace(`${problem.severity}:`, paint(colour, `${problem.severity}:`));
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}
