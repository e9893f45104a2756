import type { SyntaxWords } from '../config/yaml-words.js';

/** RE2's complaints about a pattern: how they begin, and the words for an admin. `%` is the part that it names. */
const WORDS: readonly (readonly [string, string, string?])[] = [
  ['missing closing )', 'a ( is not closed', 'close it with ), or write \\( for the sign itself'],
  ['unexpected )', 'a ) stands without its (', 'write \\) for the sign itself'],
  ['missing closing ]', 'a [ is not closed', 'close it with ], or write \\[ for the sign itself'],
  [
    'missing argument to repetition operator',
    '% repeats what stands before it, and nothing does',
    'for any text write .* or leave `matches` out and write a mask: `subject: "*invoice*"`',
  ],
  ['invalid nested repetition operator', '% repeats what is repeated already', 'remove one of the two signs'],
  ['invalid repeat count', '% cannot be a number of times: at most 1000 are possible', 'write + for once or more'],
  ['invalid character class range', 'the range % runs backwards, or is none', 'write the lower end first: a-z; a dash itself stands last: [a-z-]'],
  ['trailing backslash', 'it ends with a lone backslash', 'write \\\\ for the sign itself'],
  ['invalid character class', '% is no class of characters'],
  ['invalid named capture', '% is no group with a name', 'write (?P<name>...)'],
  ['duplicate capture group name', 'two groups have the same name: %', 'name them apart'],
  ['invalid UTF-8', 'it is not text'],
  ['expression nests too deeply', 'too many brackets stand in each other', 'make several patterns of it: `matches: [one, two]`'],
  ['expression too large', 'it is too large', 'make several patterns of it: `matches: [one, two]`'],
  ['pattern too large', 'it is too large', 'make several patterns of it: `matches: [one, two]`'],
];

/**
 * What is said about a pattern that RE2 refuses.
 * @param reason RE2's own words
 */
export function patternWords(reason: string): SyntaxWords {
  const message = reason.replace(/^error parsing regexp: /, '');
  const named = /`([^`]*)`?\s*$/.exec(message)?.[1];
  const part = named === undefined ? 'a part of it' : `"${named.slice(0, 40)}"`;
  if (/^\(\?(<?[=!])/.test(named ?? ''))
    return {
      message: `not a regular expression: ${part} looks around, which RE2 cannot do`,
      hint: 'write two tests in an `all` list, one of them under `not`',
    };
  if (/^\\[1-9]/.test(named ?? ''))
    return {
      message: `not a regular expression: ${part} refers back to a group, which RE2 cannot do`,
      hint: 'write out what is to follow',
    };
  if (message.startsWith('invalid escape sequence') && named !== undefined)
    return {
      message: `not a regular expression: ${part} has no meaning`,
      hint: `for the sign itself write ${named.slice(1) === '' ? '\\\\' : named.slice(1)}; in "double quotes" YAML takes a backslash away: use 'single quotes'`,
    };
  if (message.startsWith('invalid or unsupported Perl syntax'))
    return { message: `not a regular expression: RE2 does not know ${part}`, hint: 'to ignore case begin with (?i)' };
  const counts = message.startsWith('invalid repeat count') ? (named?.match(/\d+/g) ?? []) : [];
  if (counts.length > 0 && counts.every((count) => Number(count) <= 1000))
    return {
      message: `not a regular expression: ${part} repeats what is repeated already, together more than 1000 times`,
      hint: 'write smaller numbers, or + for once or more',
    };
  const known = WORDS.find(([start]) => message.startsWith(start));
  if (known === undefined) return { message: `not a regular expression: ${message}` };
  const [, words, hint] = known;
  return { message: `not a regular expression: ${words.replace('%', part)}`, ...(hint === undefined ? {} : { hint }) };
}
