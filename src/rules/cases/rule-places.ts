import path from 'node:path';
import type { Place } from '../../config/problems.js';
import { readTextFile } from '../../config/text-file.js';
import { MAX_YAML_BYTES, YamlSource, type KeyPath } from '../../config/yaml-source.js';
import { listFiles } from '../lists.js';

/** Where rules and their responses stand. */
export interface RulePlaces {
  rule(id: string): Place | undefined;
  /** @param key as in `OnEntry.key`; @param index of the response under it */
  response(id: string, key: string, index: number): Place | undefined;
}

/**
 * Reads where the rules of a folder stand. What cannot be read has no place: loading the set tells what is wrong with it.
 * @param shown path of the folder for people
 */
export async function readRulePlaces(folder: string, shown: string): Promise<RulePlaces> {
  const rules = new Map<string, { readonly source: YamlSource; readonly at: KeyPath; readonly on: unknown }>();
  for (const name of await listFiles(folder, shown, [])) {
    if (!name.endsWith('.yaml') || name.startsWith('.')) continue;
    const bytes = await readTextFile(path.join(folder, name), `${shown}/${name}`, MAX_YAML_BYTES);
    if ('severity' in bytes) continue;
    const source = new YamlSource(`${shown}/${name}`, bytes.toString('utf8'));
    const list = isRecord(source.value) ? source.value['rules'] : undefined;
    if (!Array.isArray(list)) continue;
    for (const [index, raw] of list.entries()) {
      if (isRecord(raw) && typeof raw['id'] === 'string')
        rules.set(raw['id'], { source, at: ['rules', index], on: raw['on'] });
    }
  }
  return {
    rule(id) {
      const found = rules.get(id);
      return found?.source.place([...found.at, 'id'], 'key');
    },
    response(id, key, index) {
      const found = rules.get(id);
      if (found === undefined) return undefined;
      const steps = stepsTo(found.on, key, index);
      const what = typeof steps.at(-1) === 'string' ? 'key' : 'value';
      return found.source.place([...found.at, 'on', ...steps], what);
    },
  };
}

/** Keys that lead from `on` to a response: `['dmarc', 'fail', 'policy-reject', 0]`. */
function stepsTo(on: unknown, key: string, index: number): (string | number)[] {
  if (key.startsWith('content.')) {
    const entries: unknown = isRecord(on) ? on['content'] : undefined;
    const id = key.slice('content.'.length);
    const at = Array.isArray(entries) ? entries.findIndex((entry) => isRecord(entry) && entry['id'] === id) : -1;
    if (at >= 0) return ['content', at];
  }
  const steps: (string | number)[] = isRecord(on) && key in on ? [key] : key.split('.');
  const value = steps.reduce<unknown>((node, step) => (isRecord(node) ? node[step] : undefined), on);
  return Array.isArray(value) ? [...steps, index] : steps;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
