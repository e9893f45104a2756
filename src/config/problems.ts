import { underlined, type Excerpt } from './excerpt.js';

/** A place in a file that an author edits. Lines and columns count from 1. */
export interface Place extends Partial<Excerpt> {
  /** Path as the author would write it: relative to the folder of the configuration. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Something wrong in a configuration, rule, list, template or test case. */
export interface Problem {
  readonly severity: 'error' | 'warning';
  /** Absent when the problem is about a file or folder as a whole. */
  readonly place?: Place;
  /** What is wrong, in one sentence; names the key and the value. */
  readonly message: string;
  /** What was probably meant, or what to do. */
  readonly hint?: string;
}

/** `rules/60-x.yaml:6:5`, or the file alone. */
export function formatPlace(place: Place): string {
  return `${place.file}:${place.line}:${place.column}`;
}

/** The lines for a terminal: place and message, the source line with a caret, the hint. */
export function formatProblem(problem: Problem): string {
  const head = problem.place === undefined ? '' : `${formatPlace(problem.place)}: `;
  const lines = [`${head}${problem.severity}: ${problem.message}`];
  const { place } = problem;
  if (place?.excerpt !== undefined && place.excerpt.trim() !== '') {
    const gutter = String(place.line);
    const [line, caret] = underlined({ ...place, excerpt: place.excerpt }, place.column);
    lines.push(`  ${gutter} | ${line}`, `  ${' '.repeat(gutter.length)} | ${caret}`);
  }
  if (problem.hint !== undefined) lines.push(`  ${problem.hint}`);
  return lines.join('\n');
}

/** Errors before warnings, each in the order of file, line and column. */
export function sortProblems(problems: readonly Problem[]): Problem[] {
  const rank = (p: Problem): number => (p.severity === 'error' ? 0 : 1);
  return [...problems].sort((a, b) => {
    const bySeverity = rank(a) - rank(b);
    if (bySeverity !== 0) return bySeverity;
    const byFile = (a.place?.file ?? '').localeCompare(b.place?.file ?? '', 'en');
    if (byFile !== 0) return byFile;
    return (a.place?.line ?? 0) - (b.place?.line ?? 0) || (a.place?.column ?? 0) - (b.place?.column ?? 0);
  });
}

/** Of problems that differ by their place alone, this many are told one by one. */
const MAX_ALIKE = 10;

/** Keeps the first of problems that differ by their place alone, and says how many more there are. */
export function condenseProblems(problems: readonly Problem[]): Problem[] {
  const groups = new Map<string, Problem[]>();
  for (const problem of sortProblems(problems)) {
    const key = `${problem.severity} ${problem.message.replace(/^`[^`]*`: /, '').replace(/\[\d+\]/g, '[]')}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [problem]);
    else group.push(problem);
  }
  return [...groups.values()].flatMap((group) => {
    const left = group.slice(MAX_ALIKE);
    const [first] = left;
    if (first === undefined) return group;
    const { hint: _, ...same } = first;
    return [
      ...group.slice(0, MAX_ALIKE),
      { ...same, message: `${first.message}${left.length === 1 ? '' : ` (and at ${left.length - 1} more places)`}` },
    ];
  });
}

/** Thrown where a broken file stops what was asked for; its message holds all problems, formatted. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly Problem[];
  /** There was nothing to read: the configuration as a whole is not there, or cannot be read. */
  readonly unread: boolean;

  constructor(problems: readonly Problem[], unread = false) {
    super(sortProblems(problems).map(formatProblem).join('\n'));
    this.problems = problems;
    this.unread = unread;
  }
}
