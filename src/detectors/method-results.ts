import type { MethodResult } from './types.js';

const MAX_RESULTS = 20;
const MAX_PROPERTIES = 5;
const MAX_VALUE = 512;
const WORD = /^[a-z][a-z0-9.-]{0,40}$/;

/** The well-formed ones of what a module gave as `results`, within bounds. */
export function checkResults(given: unknown): readonly MethodResult[] {
  if (!Array.isArray(given)) return [];
  return given.slice(0, MAX_RESULTS).flatMap((item: unknown) => {
    if (typeof item !== 'object' || item === null) return [];
    const { method, result, properties } = item as Partial<Record<keyof MethodResult, unknown>>;
    if (!isWord(method) || !isWord(result) || typeof properties !== 'object' || properties === null) return [];
    const kept = Object.entries(properties)
      .slice(0, MAX_PROPERTIES)
      .flatMap(([name, value]: [string, unknown]) =>
        isWord(name) && typeof value === 'string' ? [[name, value.slice(0, MAX_VALUE)] as const] : [],
      );
    return [{ method, result, properties: Object.fromEntries(kept) }];
  });
}

function isWord(value: unknown): value is string {
  return typeof value === 'string' && WORD.test(value);
}
