import type { KeyPath, YamlSource } from '../config/yaml-source.js';
import type { LoadOptions } from './load.js';
import type { RuleBundle, RuleData, SpamThresholds } from './model.js';

/** A rule together with where it stands. */
export interface PlacedRule {
  readonly rule: RuleData;
  readonly source: YamlSource;
  /** Position in the file's `rules`. */
  readonly index: number;
}

/** Where something of a rule stands in its file. */
export function within(placed: PlacedRule, ...path: KeyPath): KeyPath {
  return ['rules', placed.index, ...path];
}

export interface LintOptions extends LoadOptions {
  /** Names of all lists, `our-domains` and groups among them. */
  readonly lists: ReadonlySet<string>;
  /** Spam scores of the configuration, or those that hold without any. */
  readonly limits: Required<SpamThresholds>;
  /** Each list by its name. */
  readonly packed: RuleBundle['lists'];
  /** The rules are those that come with Gatepost. */
  readonly shipped: boolean;
}
