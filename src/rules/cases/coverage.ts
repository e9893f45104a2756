import { formatPlace, type Place } from '../../config/problems.js';
import { compileRules, type CompiledRule } from '../compile.js';
import type { RuleBundle } from '../model.js';
import type { AuditOutcome, Decision } from '../types.js';
import type { RulePlaces } from './rule-places.js';

/** A rule, or one response of it, that cases may reach. */
export interface CoverageItem {
  readonly rule: string;
  /** Key under `on`, with the number of the response where there are several; absent for the rule itself. */
  readonly response?: string;
  readonly place: Place;
  readonly covered: boolean;
}

export interface CoverageReport {
  readonly items: readonly CoverageItem[];
  readonly covered: number;
  readonly total: number;
  /** Rules that are turned off: they are not counted. */
  readonly disabled: readonly string[];
}

/**
 * Notes which rules and responses test cases reach. The built-in rule `default` counts where the site has a file with it.
 */
export class Coverage {
  private readonly reached = new Set<string>();
  private readonly rules: ReadonlyMap<string, CompiledRule>;

  constructor(bundle: RuleBundle) {
    this.rules = new Map(compileRules(bundle).rules.map((rule) => [rule.id, rule]));
  }

  /** A rule decided. */
  decided(decision: Pick<Decision, 'rule' | 'fired'>): void {
    this.reached.add(decision.rule);
    for (const { key, findings } of decision.fired) {
      // The first response whose mask takes the finding is the one that fired.
      const fits = this.entry(decision.rule, key)?.fits ?? [];
      const index = fits.findIndex((takes) => takes(findings[0]?.name ?? ''));
      this.reached.add(itemKey(decision.rule, key, index));
    }
  }

  /** A rule in mode `audit` matched. It does not tell which of several responses under a key would have fired: all count. */
  audited({ rule, fired }: Pick<AuditOutcome, 'rule' | 'fired'>): void {
    this.reached.add(rule);
    for (const key of fired ?? []) {
      for (const index of this.entry(rule, key)?.fits.keys() ?? []) this.reached.add(itemKey(rule, key, index));
    }
  }

  report(places: RulePlaces): CoverageReport {
    const items: CoverageItem[] = [];
    const disabled: string[] = [];
    for (const { data: rule } of this.rules.values()) {
      const at = places.rule(rule.id);
      if (at === undefined) continue;
      if (!rule.enabled) {
        disabled.push(rule.id);
        continue;
      }
      items.push({ rule: rule.id, place: at, covered: this.reached.has(rule.id) });
      if (rule.process !== 'scan') continue;
      for (const entry of rule.on) {
        for (const index of entry.responses.keys()) {
          const place = places.response(rule.id, entry.key, index) ?? at;
          const covered = this.reached.has(itemKey(rule.id, entry.key, index));
          const response = entry.responses.length > 1 ? `${entry.key}[${index}]` : entry.key;
          items.push({ rule: rule.id, response, place, covered });
        }
      }
    }
    return { items, covered: items.filter((item) => item.covered).length, total: items.length, disabled };
  }

  private entry(rule: string, key: string): CompiledRule['on'][number] | undefined {
    return this.rules.get(rule)?.on.find(({ entry }) => entry.key === key);
  }
}

function itemKey(rule: string, key: string, index: number): string {
  return `${rule} ${key} ${index}`;
}

/** What is not covered, for people: `rules/50-inbound.yaml:12:7  inbound: spam`. */
export function uncoveredLines({ items }: CoverageReport): string[] {
  const open = items.filter(({ covered }) => !covered);
  const width = Math.max(0, ...open.map(({ place }) => formatPlace(place).length));
  return open.map(({ place, rule, response }) => {
    const what = response === undefined ? `${rule}: the rule never decides` : `${rule}: ${response}`;
    return `${formatPlace(place).padEnd(width)}  ${what}`;
  });
}
