import type { HeaderChanges } from './types.js';

export const NO_HEADERS: HeaderChanges = { set: {}, add: {}, remove: [] };

/** What is to become of the fields of one name. */
interface Fate {
  /** As the latest response writes it. */
  readonly name: string;
  readonly set?: string;
  readonly added: readonly string[];
  readonly removed: boolean;
}

/**
 * Changes of several responses as one, made one after the other: what a later one removes or sets is not what an earlier
 * one set or added, and what several add stands in their order. Names do not differ by case. Inside of one response
 * fields are removed first, then set, then added.
 */
export function mergeHeaders(changes: readonly HeaderChanges[]): HeaderChanges {
  const [only, ...more] = changes;
  if (only === undefined) return NO_HEADERS;
  if (more.length === 0) return only;
  const fates = new Map<string, Fate>();
  const before = (name: string): Fate => fates.get(name.toLowerCase()) ?? { name, added: [], removed: false };
  const put = (fate: Fate): unknown => fates.set(fate.name.toLowerCase(), fate);
  for (const { set, add, remove } of changes) {
    for (const name of remove) put({ name, added: [], removed: true });
    for (const [name, value] of Object.entries(set)) put({ name, set: value, added: [], removed: false });
    for (const [name, values] of Object.entries(add)) {
      const fate = before(name);
      put({ ...fate, name, added: [...fate.added, ...(typeof values === 'string' ? [values] : values)] });
    }
  }
  const all = [...fates.values()];
  return {
    set: Object.fromEntries(all.flatMap(({ name, set }) => (set === undefined ? [] : [[name, set]]))),
    add: Object.fromEntries(all.filter(({ added }) => added.length > 0).map(({ name, added }) => [name, oneOrMore(added)])),
    remove: all.filter(({ removed }) => removed).map(({ name }) => name),
  };
}

function oneOrMore(values: readonly string[]): string | readonly string[] {
  const [first, ...rest] = values;
  return first !== undefined && rest.length === 0 ? first : values;
}
