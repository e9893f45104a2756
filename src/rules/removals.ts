import type { MessageObject } from '../message/types.js';
import type { FiredResponse, Removal } from './types.js';

export interface Removals {
  readonly removals: readonly Removal[];
  /** For people: responses that name no object, so that there is nothing to take out. */
  readonly impossible: readonly string[];
}

/** What the responses with `delete-attachment` take out: for each object the outermost attachment that holds it. */
export function removalsOf(fired: readonly FiredResponse[], objects: readonly MessageObject[]): Removals {
  const parts = new Map(objects.map(({ path, part }) => [path, part]));
  const found = new Map<number, { objects: Set<string>; reasons: Set<string> }>();
  const impossible = new Set<string>();
  for (const response of fired) {
    if (response.action !== 'delete-attachment') continue;
    for (const { object, name, status, module } of response.findings) {
      const part = object === undefined ? undefined : partOf(object, parts);
      if (object === undefined || part === undefined) {
        impossible.add(`${response.name} (${module}.${status})`);
        continue;
      }
      let removal = found.get(part);
      if (removal === undefined) found.set(part, (removal = { objects: new Set(), reasons: new Set() }));
      removal.objects.add(object);
      removal.reasons.add(reasonOf(response, name));
    }
  }
  return {
    removals: [...found]
      .sort(([a], [b]) => a - b)
      .map(([part, { objects, reasons }]) => ({ part, objects: [...objects], reason: [...reasons].join('; ') })),
    impossible: [...impossible],
  };
}

/** A module may name an entry that the walk through the archives did not list: then its nearest container that was. */
function partOf(object: string, parts: ReadonlyMap<string, number>): number | undefined {
  for (let path = object; path !== ''; path = path.slice(0, Math.max(0, path.lastIndexOf('/')))) {
    const part = parts.get(path);
    if (part !== undefined) return part;
  }
  return undefined;
}

function reasonOf(response: FiredResponse, threat: string | undefined): string {
  if (response.key.startsWith('content.') && response.findings[0]?.status === 'content') return response.name;
  return threat === undefined ? response.name : `${response.name}: ${threat}`;
}
