import type { z } from 'zod';
import type { Problem } from './problems.js';
import { keysAt } from './schema-keys.js';
import { nearest } from './suggest.js';
import { HIDDEN, isSecretKey } from './secrets.js';
import type { KeyPath, YamlSource } from './yaml-source.js';
import { booleanHint, branchMeant, expectation, hintOf, notExpected, plain, show } from './zod-words.js';

/** What a schema refused, for one who knows what authors of such files mean. */
export interface Mistake {
  /**
   * `key`: it is not known; `missing`: it is not there; `type`: a value of another kind is wanted;
   * `word`: a word is none of those that can stand there.
   */
  readonly kind: 'key' | 'missing' | 'type' | 'word';
  /** Counted from the value that the schema was applied to. */
  readonly path: KeyPath;
  /** What stands there. */
  readonly given: unknown;
}

/** The hint for a mistake; undefined where nothing better is known than the schema itself tells. */
export type Advice = (mistake: Mistake) => string | undefined;

/** More keys than these are not listed in a hint. */
const MAX_KEYS_TOLD = 14;

/** The issues of a zod schema as problems with places and suggestions; the rest as YamlSource.fromZod has it. */
export function zodProblems(
  source: YamlSource,
  error: z.ZodError,
  schema: z.ZodType,
  prefix: KeyPath,
  advice: Advice = () => undefined,
): Problem[] {
  const fromIssue = (issue: z.core.$ZodIssue): Problem[] => {
    const inner: KeyPath = issue.path.map((step) => (typeof step === 'number' ? step : String(step)));
    const path = [...prefix, ...inner];
    const name = path.length === 0 ? 'the file' : `\`${formatPath(path)}\``;
    const value = source.valueAt(path);
    const given = path.some(isSecretKey) && isScalar(value) ? HIDDEN : value;
    const hint = (kind: Mistake['kind'], fallback?: string): string | undefined =>
      advice({ kind, path: inner, given }) ?? fallback;
    switch (issue.code) {
      case 'unrecognized_keys': {
        const known = keysAt(schema, issue.path);
        return issue.keys.map((key) => {
          const meant = advice({ kind: 'key', path: [...inner, key], given: source.valueAt([...path, key]) });
          return source.error(
            [...path, key],
            `unknown key \`${formatPath([...path, key])}\``,
            meant ?? keyHint(key, known),
            'key',
          );
        });
      }
      case 'invalid_union': {
        const best = branchMeant(issue, value);
        // Issues of a branch count from the union's own path.
        if (best !== undefined)
          return withoutInner(best).flatMap((i) => fromIssue({ ...i, path: [...issue.path, ...i.path] }));
        if (given === undefined) return [source.error(path, `${name} is missing`, hint('missing'))];
        const expected = [
          ...new Set(issue.errors.flatMap(([first]) => (first === undefined ? [] : [expectation(first)]))),
        ];
        return [source.error(path, `${name}: ${notExpected(expected, given)}`, hint('type'))];
      }
      case 'invalid_key':
        return issue.issues.map((i) => source.error(path, `${name}: ${plain(i.message)}`, hintOf(i), 'key'));
      case 'invalid_value': {
        const values = issue.values.map(String);
        const meant = typeof given === 'string' ? nearest(given, values) : undefined;
        const text = `${name}: ${show(given)} is not one of ${values.join(', ')}`;
        return [source.error(path, text, hint('word', meant === undefined ? undefined : `did you mean \`${meant}\`?`))];
      }
      case 'invalid_type': {
        if (given === undefined) return [source.error(path, `${name} is missing`, hint('missing'))];
        const wanted = expectation(issue);
        const fallback = issue.expected === 'boolean' ? booleanHint(given) : undefined;
        return [source.error(path, `${name}: ${notExpected([wanted], given)}`, hint('type', fallback))];
      }
      default: {
        const what = issue.code === 'custom' && issue.params?.['at'] === 'key' ? 'key' : 'value';
        return [source.error(path, `${name}: ${plain(issue.message)}`, hintOf(issue), what)];
      }
    }
  };
  return withoutInner(error.issues).flatMap(fromIssue);
}

/** What stands under a key that is not known is not looked at: the key is the mistake. */
function withoutInner(issues: readonly z.core.$ZodIssue[]): z.core.$ZodIssue[] {
  const unknown = issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key]) : [],
  );
  const isInner = ({ path }: z.core.$ZodIssue): boolean =>
    unknown.some((key) => key.length <= path.length && key.every((step, i) => step === path[i]));
  return issues.filter((issue) => !isInner(issue));
}

function isScalar(value: unknown): boolean {
  return value !== undefined && value !== null && typeof value !== 'object';
}

function keyHint(key: string, known: readonly string[]): string | undefined {
  const meant = nearest(key, known);
  if (meant !== undefined) return `did you mean \`${meant}\`?`;
  const more = known.length - MAX_KEYS_TOLD;
  if (known.length === 0) return undefined;
  return `known keys here: ${known.slice(0, MAX_KEYS_TOLD).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** `smtp.listen[0]` for people. */
export function formatPath(path: KeyPath): string {
  return path.map((step, i) => (typeof step === 'number' ? `[${step}]` : i === 0 ? step : `.${step}`)).join('');
}
