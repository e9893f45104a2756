import type { Problem } from '../config/problems.js';
import type { KeyPath } from '../config/yaml-source.js';
import { pathOfEntry } from './entry-path.js';
import { within, type PlacedRule } from './placed.js';
import type { OnEntry, ResponseData } from './model.js';

/** Keys that change the copy that is delivered, or where it goes. */
const CHANGES = ['tag', 'headers', 'warn', 'disclaimer', 'redirect', 'route'] as const;

/** What stands in responses and can never have an effect. */
export function withoutEffect(placed: PlacedRule): Problem[] {
  return placed.rule.on.flatMap((entry) => {
    const path = within(placed, ...pathOfEntry(placed.rule, entry));
    const isList = Array.isArray(placed.source.valueAt(path)) && entry.selector.kind !== 'content';
    const at = (index: number): KeyPath => (isList ? [...path, index] : path);
    return [...afterTheLast(placed, entry, at), ...changesOfNothing(placed, entry, at)];
  });
}

/** Of several responses the first whose `name` fits responds: behind one for every name none does. */
function afterTheLast({ source }: PlacedRule, { key, responses }: OnEntry, at: (index: number) => KeyPath): Problem[] {
  const last = responses.findIndex(({ names }) => names === undefined || names.includes('*'));
  if (last < 0) return [];
  return responses.slice(last + 1).map((_, i) =>
    source.warning(
      at(last + 1 + i),
      `this response of \`${key}\` can never fire: one that stands before it takes every name`,
      'put those with a `name` first',
    ),
  );
}

/** A response that refuses the mail or throws it away delivers no copy that it could change. */
function changesOfNothing({ source }: PlacedRule, { responses }: OnEntry, at: (index: number) => KeyPath): Problem[] {
  return responses.flatMap(({ effect }: ResponseData, i) => {
    const { action } = effect;
    if (action === 'deliver' || action === 'delete-attachment') return [];
    return CHANGES.filter((key) => effect[key] !== undefined).map((key) =>
      source.warning(
        [...at(i), key],
        `\`${key}\` has no effect beside \`action: ${action}\`: nothing is delivered`,
        `leave \`${key}\` out, or write \`action: deliver\``,
        'key',
      ),
    );
  });
}
