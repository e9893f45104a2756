import type { z } from 'zod';

/**
 * Of a union's branches the one that the author meant: it takes this type of value, and came furthest.
 * @param given what stands there
 */
export function branchMeant(issue: z.core.$ZodIssueInvalidUnion, given: unknown): z.core.$ZodIssue[] | undefined {
  const branches = issue.errors.filter((branch) => branch.length > 0 && !refusesType(branch, given));
  // A map of which one branch knows fewer keys is meant for the other.
  const strangers = (branch: z.core.$ZodIssue[]): number =>
    branch.reduce((sum, i) => {
      if (i.path.length > 0) return sum;
      if (i.code === 'invalid_union') return sum + strangers(branchMeant(i, given) ?? []);
      return sum + (i.code === 'unrecognized_keys' ? i.keys.length : 0);
    }, 0);
  const depth = (branch: z.core.$ZodIssue[]): number =>
    Math.max(...branch.map((i) => i.path.length + (i.code === 'invalid_type' ? 0 : 0.5)));
  return branches.sort((a, b) => strangers(a) - strangers(b) || depth(b) - depth(a))[0];
}

/** The branch is for another type of value altogether. */
function refusesType(branch: readonly z.core.$ZodIssue[], given: unknown): boolean {
  const isMap = typeof given === 'object' && given !== null && !Array.isArray(given);
  return branch.some(
    (i) =>
      i.path.length === 0 &&
      (i.code === 'invalid_type' ||
        (i.code === 'invalid_value' && isMap) ||
        (i.code === 'invalid_union' && i.errors.every((inner) => refusesType(inner, given)))),
  );
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  tuple: 'a list',
  object: 'a map',
  record: 'a map',
  null: 'nothing',
};

/** What an issue wanted instead, in words. */
export function expectation(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type') return TYPE_NAMES[issue.expected] ?? issue.expected;
  if (issue.code === 'invalid_value') return issue.values.map(String).join(', ');
  if (issue.code === 'invalid_union')
    return [...new Set(issue.errors.flatMap(([first]) => (first === undefined ? [] : [expectation(first)])))].join(
      ' or ',
    );
  return plain(issue.message);
}

/** What was wanted, and what stands there instead. */
export function notExpected(expected: readonly string[], value: unknown): string {
  const wanted = [...new Set(expected.flatMap((one) => one.split(' or ')))]
    .join(' or ')
    .replace('true or false or', 'true, false or');
  if (value === null) return `nothing is given; expected ${wanted}`;
  if (Array.isArray(value)) return `expected ${wanted}, not a list`;
  return typeof value === 'object' ? `expected ${wanted}, not a map` : `expected ${wanted}, not ${show(value)}`;
}

const YES = /^(true|yes|y|on|1)$/i;
const NO = /^(false|no|n|off|0)$/i;

/** How to write true or false, in place of words that other programs take for them. */
export function booleanHint(given: unknown): string {
  const word = typeof given === 'number' || typeof given === 'string' ? String(given) : '';
  const meant = YES.test(word) ? 'true' : NO.test(word) ? 'false' : undefined;
  if (meant === undefined) return 'write true or false';
  return word === meant ? `write ${meant}, without quotes` : `write ${meant}`;
}

/** The hint that a check of ours gave. */
export function hintOf(issue: z.core.$ZodIssue): string | undefined {
  return issue.code === 'custom' && typeof issue.params?.['hint'] === 'string' ? issue.params['hint'] : undefined;
}

/** zod's sentence without its prefix. */
export function plain(message: string): string {
  return message.replace(/^Invalid input: /, '').replace(/^Invalid string: /, '');
}

/** A value in a sentence. */
export function show(value: unknown): string {
  if (typeof value === 'string') return `"${value.slice(0, 60)}"`;
  return value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 60);
}
