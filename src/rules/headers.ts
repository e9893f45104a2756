import type { HeaderChanges } from './types.js';

export const NO_HEADERS: HeaderChanges = { set: {}, add: {}, remove: [] };

/** Changes of several responses as one: names do not differ by case, and of two values for a name the later one stays. */
export function mergeHeaders(changes: readonly HeaderChanges[]): HeaderChanges {
  const [only, ...more] = changes;
  if (only === undefined) return NO_HEADERS;
  if (more.length === 0) return only;
  return {
    set: mergeFields(changes.map(({ set }) => set)),
    add: mergeFields(changes.map(({ add }) => add)),
    remove: [...new Map(changes.flatMap(({ remove }) => remove).map((name) => [name.toLowerCase(), name])).values()],
  };
}

function mergeFields(maps: readonly Readonly<Record<string, string>>[]): Record<string, string> {
  const merged = new Map<string, readonly [string, string]>();
  for (const map of maps)
    for (const [name, value] of Object.entries(map)) merged.set(name.toLowerCase(), [name, value]);
  return Object.fromEntries(merged.values());
}
