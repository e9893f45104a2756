import type { Problem } from '../config/problems.js';
import type { AddressSet } from './addresses.js';
import { takesAll, witnessOf } from './cover.js';
import { DEFAULT_ID } from './default-rule.js';
import { withGroupsHidden } from './groups.js';
import { lintMasks } from './lint-masks.js';
import { lintResponses } from './lint-responses.js';
import { lintValues } from './lint-values.js';
import { within, type LintOptions, type PlacedRule } from './placed.js';
import { setScope } from './scope.js';
import { ScopeIndex } from './scope-index.js';
import type { CompileContext } from './test-value.js';

/** Warnings about rules that are correct and yet hardly what the author meant. Rules that are off get none. */
export function lint(rules: readonly PlacedRule[], options: LintOptions): Problem[] {
  const on = rules.filter(({ rule }) => rule.enabled);
  return [
    ...neverDeciding(on, options),
    ...on.flatMap((placed) => lintResponses(placed, options)),
    ...on.flatMap((placed) => emptyLists(placed)),
    ...lintMasks(rules),
    ...lintValues(rules, options.lists),
  ];
}

/** Of more earlier rules than this it is not asked whether they take all of a rule's mail. */
const MAX_ASKED = 500;

/** Rules all of whose pairs an earlier one takes. */
function neverDeciding(rules: readonly PlacedRule[], options: LintOptions): Problem[] {
  const deciding = rules.filter(({ rule }) => rule.mode === 'enforce');
  const context: CompileContext = { lists: options.packed, domains: options.domains };
  const scopes = deciding.map(({ rule }) => setScope(withGroupsHidden(rule.match), context));
  const index = new ScopeIndex(
    scopes.map((scope) => ({ ...scope, looksAtFrom: scope.match.senderIs === 'either' })),
  );
  const shadowed = new Set<number>();
  return deciding.flatMap(({ rule, source, index: at }, position) => {
    const scope = scopes[position];
    if (scope === undefined) return [];
    // A rule that takes all the mail takes such an example; what takes all mail of a rule that is itself never asked
    // takes this one's as well.
    const parties = { sender: exampleOf(scope.sender), from: [], clientWords: scope.client?.example };
    const taker = index
      .possible(parties, exampleOf(scope.recipient))
      .filter((earlier) => earlier < position && !shadowed.has(earlier))
      .slice(0, MAX_ASKED)
      .find((earlier) => takesAll(scopes[earlier] ?? scope, scope));
    const by = taker === undefined ? undefined : deciding[taker]?.rule.id;
    // The built-in rule is there for what is left, which may be nothing.
    if (by === undefined || rule.id === DEFAULT_ID || rule.id === by) return [];
    shadowed.add(position);
    return [
      source.warning(
        ['rules', at, 'id'],
        `the rule "${rule.id}" can never decide: "${by}" stands before it and takes all its mail`,
        `move "${rule.id}" above "${by}", or make "${by}" narrower`,
      ),
    ];
  });
}

/** An address that only sets take which take all of the given one's first entry. */
function exampleOf(set: AddressSet | undefined): string {
  if (set === undefined || set.all) return witnessOf('*');
  const [first] = set.keys();
  const mask = first ?? set.others[0];
  return mask === undefined ? '' : witnessOf(mask);
}

/** `sender: []` holds for nobody, `time: { days: [] }` at no time. */
function emptyLists(placed: PlacedRule): Problem[] {
  const { match } = placed.rule;
  const lists = { ...match, time: match.time?.filter(({ days }) => days.length > 0) };
  return (['sender', 'recipient', 'client', 'time'] as const).flatMap((key) =>
    lists[key]?.length === 0
      ? [
          placed.source.warning(
            within(placed, 'match', key),
            `the rule "${placed.rule.id}" can never decide: \`${key}\` ${key === 'time' ? 'has' : 'is'} an empty list`,
            'leave the key out to take all',
          ),
        ]
      : [],
  );
}
