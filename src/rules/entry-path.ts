import type { KeyPath } from '../config/yaml-source.js';
import type { OnEntry, RuleData } from './model.js';

/** Path of an entry under its rule, as far as its key tells. */
export function pathOfEntry(rule: RuleData, entry: OnEntry): KeyPath {
  const { key, selector } = entry;
  if (selector.kind === 'status') return ['on', key];
  if (selector.kind === 'content')
    return ['on', 'content', rule.on.filter((other) => other.selector.kind === 'content').indexOf(entry)];
  return ['on', ...key.split('.')];
}
