import type { Problem } from '../config/problems.js';
import { takesAll, type SpreadScope } from './cover.js';
import { DEFAULT_ID } from './default-rule.js';
import { isGroup } from './groups.js';
import { expandLists } from './list-entries.js';
import { lintMasks } from './lint-masks.js';
import { lintResponses } from './lint-responses.js';
import { within, type LintOptions, type PlacedRule } from './placed.js';

/** Warnings about rules that are correct and yet hardly what the author meant. Rules that are off get none. */
export function lint(rules: readonly PlacedRule[], options: LintOptions): Problem[] {
  const on = rules.filter(({ rule }) => rule.enabled);
  return [
    ...neverDeciding(on, options),
    ...on.flatMap((placed) => lintResponses(placed, options)),
    ...on.flatMap((placed) => emptyLists(placed)),
    ...lintMasks(rules, options.lists),
  ];
}

/** Rules all of whose pairs an earlier one takes. */
function neverDeciding(rules: readonly PlacedRule[], options: LintOptions): Problem[] {
  const lists = Object.fromEntries(
    [...options.lists.values()].map((list) => [list.name, list.entries.map((entry) => entry.text)]),
  );
  const spread = (masks: readonly string[] | undefined): readonly string[] | undefined =>
    masks?.flatMap((mask) => (isGroup(mask) ? [mask] : expandLists([mask], lists, options.domains)));
  const earlier: SpreadScope[] = [];
  const problems: Problem[] = [];
  for (const placed of rules) {
    const { rule } = placed;
    if (rule.mode === 'audit') continue;
    const scope = spreadScope(placed, spread);
    const taker = earlier.find((candidate) => takesAll(candidate, scope));
    if (taker === undefined) earlier.push(scope);
    // The built-in rule is there for what is left, which may be nothing.
    else if (rule.id !== DEFAULT_ID && rule.id !== taker.rule.id)
      problems.push(
        placed.source.warning(
          within(placed, 'id'),
          `the rule "${rule.id}" can never decide: "${taker.rule.id}" stands before it and takes all its mail`,
          'move it up, or narrow the earlier one',
        ),
      );
  }
  return problems;
}

function spreadScope(
  { rule }: PlacedRule,
  spread: (masks: readonly string[] | undefined) => readonly string[] | undefined,
): SpreadScope {
  const sender = spread(rule.match.sender);
  const recipient = spread(rule.match.recipient);
  const client = spread(rule.match.client);
  return {
    rule,
    ...(sender === undefined ? {} : { sender }),
    ...(recipient === undefined ? {} : { recipient }),
    ...(client === undefined ? {} : { client }),
  };
}

/** `sender: []` holds for nobody. */
function emptyLists(placed: PlacedRule): Problem[] {
  return (['sender', 'recipient', 'client'] as const).flatMap((key) =>
    placed.rule.match[key]?.length === 0
      ? [
          placed.source.warning(
            within(placed, 'match', key),
            `the rule "${placed.rule.id}" can never decide: \`${key}\` is an empty list`,
            'leave the key out to take all',
          ),
        ]
      : [],
  );
}
