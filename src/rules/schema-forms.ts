import { OBJECT_TYPES } from './fields.js';
import { RESULTS } from './findings.js';

/**
 * What the JSON Schema says of values that a check of ours looks at, so that an editor refuses them as the loader does.
 * Each is a part of a JSON Schema and goes to `meta`.
 */
export const FORMS = {
  identifier: { type: 'string', pattern: '^[a-z0-9][a-z0-9-]{0,63}$' },
  address: { type: 'string', pattern: '^[^\\s@<>"(),:;\\\\[\\]*?]{1,64}@[^\\s@<>"(),:;\\\\[\\]*?]{1,255}$' },
  mask: { type: 'string', minLength: 1 },
  needle: { type: 'string', minLength: 1 },
  network: { type: 'string', pattern: '^(@.+|[0-9A-Fa-f:.]+(/\\d{1,3})?)$' },
  machine: { type: 'string', pattern: '^[0-9A-Fa-f:.]+(/\\d{1,3})?$' },
  pattern: { type: 'string', maxLength: 5000 },
  template: { type: 'string', pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$' },
  headerName: {
    type: 'string',
    pattern: `^(?!${anyCase('content-')}|${anyCase('mime-version')}$|${anyCase('x-gatepost-')})[!-9;-~]{1,76}$`,
  },
  headerText: { type: 'string', maxLength: 900, pattern: '^[^\\u0000-\\u001f\\u007f]*$' },
  tag: { type: 'string', maxLength: 200, pattern: '^(?=.*\\S)[^\\u0000-\\u001f\\u007f]*$' },
  size: { type: 'string', pattern: `^\\s*\\d{1,15}(\\.\\d{1,3})?\\s*(([kKmMgGtT][iI]?)?[bB])?\\s*$` },
  string: { type: 'string' },
  objectType: { type: 'string', pattern: `[*?]|^@|^(${OBJECT_TYPES.map(anyCase).join('|')})$` },
  result: { type: 'string', pattern: `[*?]|^@|^(${RESULTS.map(anyCase).join('|')})$` },
  day: { type: 'string', pattern: `^\\s*${dayName()}\\s*(-\\s*${dayName()}\\s*)?$` },
  hours: {
    type: 'string',
    pattern: '^\\s*([01]?\\d|2[0-3]):[0-5]\\d\\s*[-\\u2013]\\s*(([01]?\\d|2[0-3]):[0-5]\\d|24:00)\\s*$',
  },
  notEmpty: { type: 'object', minProperties: 1 },
  someItems: { type: 'array', minItems: 1 },
  /** What cannot stand here at all. */
  never: { not: {} },
} as const;

/** A word in upper, lower and mixed case: patterns of JSON Schema have no flag for it. */
function anyCase(word: string): string {
  return word.replace(/[a-z]/g, (letter) => `[${letter}${letter.toUpperCase()}]`);
}

function dayName(): string {
  return `(${['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'].map(anyCase).join('|')})[A-Za-z]*`;
}
