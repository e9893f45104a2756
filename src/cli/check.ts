import { formatProblem, ConfigError, type Problem } from '../config/problems.js';
import { loadSetup, type Setup } from '../gateway/setup.js';
import { EXIT } from './exit.js';
import { json, out, paint } from './terminal.js';

/** `gatepost check`: every mistake at once. Warnings alone leave the exit status 0. */
export async function check(options: { readonly config?: string; readonly json?: boolean }): Promise<void> {
  let setup: Setup | undefined;
  let problems: readonly Problem[];
  try {
    setup = await loadSetup(options.config);
    problems = setup.warnings;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    problems = error.problems;
  }
  const errors = problems.filter((p) => p.severity === 'error').length;
  process.exitCode = errors > 0 ? EXIT.no : EXIT.good;
  if (options.json === true) {
    json({ ok: errors === 0, problems });
    return;
  }
  for (const problem of problems) out(coloured(problem));
  if (problems.length > 0) out();
  const warnings = problems.length - errors;
  const counts = [errors > 0 ? plural(errors, 'error') : '', warnings > 0 ? plural(warnings, 'warning') : '']
    .filter((t) => t !== '')
    .join(', ');
  if (setup === undefined)
    out(`${paint('red', 'Not good')}: ${counts}. Nothing of it can be put in force before the errors are mended.`);
  else
    out(
      `${paint('green', 'Good')}: ${plural(setup.bundle.rules.length, 'rule')} in ${setup.config.rules}${counts === '' ? '' : `; ${counts}`}.`,
    );
}

function coloured(problem: Problem): string {
  const colour = problem.severity === 'error' ? 'red' : 'yellow';
  return formatProblem(problem).replace(`${problem.severity}:`, paint(colour, `${problem.severity}:`));
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}
