import type { YamlSource } from '../config/yaml-source.js';
import { FIELDS } from './fields.js';

/** What the entries of a list are compared with. */
export interface ListUse {
  /** Under `client`: entries must be networks. */
  readonly client: boolean;
  /** With `client.ip` in a condition: entries may be networks. */
  readonly ip: boolean;
  readonly address: boolean;
  readonly domain: boolean;
  /** With any other text. */
  readonly text: boolean;
}

const UNUSED: ListUse = { client: false, ip: false, address: false, domain: false, text: false };

/** Tests whose texts stand for themselves. */
const PLAIN_TESTS: ReadonlySet<string> = new Set(['is', 'contains', 'starts', 'ends', 'matches']);

/** Looks for `@name` wherever it stands in the files, also in rules that have other mistakes. */
export function listsUsed(sources: readonly YamlSource[]): ReadonlyMap<string, ListUse> {
  const uses = new Map<string, ListUse>();
  const walk = (value: unknown, use: Partial<ListUse>): void => {
    if (typeof value === 'string' && value.startsWith('@')) {
      const name = value.slice(1);
      uses.set(name, { ...(uses.get(name) ?? UNUSED), ...use });
    } else if (Array.isArray(value)) for (const item of value) walk(item, use);
    else if (typeof value === 'object' && value !== null)
      for (const [key, item] of Object.entries(value)) if (!PLAIN_TESTS.has(key)) walk(item, key === 'in' ? use : useOf(key));
  };
  for (const source of sources) walk(source.value, { text: true });
  return uses;
}

function useOf(key: string): Partial<ListUse> {
  if (key === 'client') return { client: true };
  switch (FIELDS.get(key)?.kind) {
    case 'ip':
      return { ip: true };
    case 'address':
      return { address: true };
    case 'domain':
      return { domain: true };
    default:
      return { text: true };
  }
}
