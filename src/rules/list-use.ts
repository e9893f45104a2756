import { parseNetwork } from '../config/networks.js';
import type { Problem } from '../config/problems.js';
import type { YamlSource } from '../config/yaml-source.js';
import { MAX_MASK_LENGTH } from './mask.js';
import { placeOf, type ListFile } from './lists.js';

/** What the rule files use lists for: names without the `@`. */
export interface ListUses {
  readonly any: ReadonlySet<string>;
  /** Used for client addresses: entries must be networks. */
  readonly networks: ReadonlySet<string>;
}

/** Looks for `@name` wherever it stands in the files, also in rules that have other mistakes. */
export function listsUsed(sources: readonly YamlSource[]): ListUses {
  const any = new Set<string>();
  const networks = new Set<string>();
  const walk = (value: unknown, key: string): void => {
    if (typeof value === 'string' && value.startsWith('@')) {
      any.add(value.slice(1));
      if (key === 'client') networks.add(value.slice(1));
    } else if (Array.isArray(value)) for (const item of value) walk(item, key);
    else if (typeof value === 'object' && value !== null)
      for (const [name, item] of Object.entries(value)) walk(item, name);
  };
  for (const source of sources) walk(source.value, '');
  return { any, networks };
}

/** Entries that cannot be what the list is used for, and lists that nothing uses. */
export function checkLists(lists: ReadonlyMap<string, ListFile>, uses: ListUses): Problem[] {
  const problems: Problem[] = [];
  for (const list of lists.values()) {
    if (!uses.any.has(list.name))
      problems.push({
        severity: 'warning',
        place: { file: list.file, line: 1, column: 1 },
        message: `no rule uses the list "@${list.name}"`,
      });
    for (const entry of list.entries) {
      const place = placeOf(list, entry);
      if (entry.text.startsWith('@'))
        problems.push({
          severity: 'error',
          place,
          message: 'a list cannot hold another list',
          hint: `name both where the masks stand, or write "*${entry.text}" for a domain`,
        });
      else if (entry.text.length > MAX_MASK_LENGTH)
        problems.push({ severity: 'error', place, message: `longer than ${MAX_MASK_LENGTH} characters` });
      else if (uses.networks.has(list.name)) {
        const parsed = parseNetwork(entry.text);
        if ('error' in parsed)
          problems.push({
            severity: 'error',
            place,
            message: `${parsed.error}: "@${list.name}" is used under \`client\``,
            ...(parsed.hint === undefined ? {} : { hint: parsed.hint }),
          });
      }
    }
  }
  return problems;
}
