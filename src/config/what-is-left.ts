import type { z } from 'zod';
import { configSchema, type RawConfig } from './schema.js';
import { nearest } from './suggest.js';

/** Without these keys, rules that are right would be called wrong. */
const NEEDED: readonly PropertyKey[] = ['domains', 'detectors', 'directory', 'rules', 'templates'];

/**
 * A configuration without the values that its schema refuses, so that the files that it names can be checked as well.
 * @param given a plain value, which is left as it is
 * @returns undefined where a value is wrong that the rules depend on
 */
export function whatIsLeft(given: unknown, error: z.ZodError): RawConfig | undefined {
  const left: unknown = structuredClone(given);
  for (const issue of error.issues) {
    const [top, second] = issue.path;
    if (top !== undefined && NEEDED.includes(top)) return undefined;
    if (issue.code === 'unrecognized_keys') {
      // It may be one of these, misspelt.
      if (top === undefined && issue.keys.some((key) => nearest(key, NEEDED.map(String)) !== undefined))
        return undefined;
      for (const key of issue.keys) remove(left, [...issue.path, key]);
    } else if (top === undefined) return undefined;
    else remove(left, typeof second === 'string' ? [top, second] : [top]);
  }
  const parsed = configSchema.safeParse(left);
  return parsed.success ? parsed.data : undefined;
}

function remove(value: unknown, [step, ...more]: readonly PropertyKey[]): void {
  if (step === undefined || typeof value !== 'object' || value === null) return;
  if (more.length > 0) remove(Reflect.get(value, step), more);
  else Reflect.deleteProperty(value, step);
}
