import type { Hits, RuleHit } from './types.js';

/** Hits of one rule or response on one day. Plain data. */
export interface DayHit extends RuleHit {
  /** `2026-11-21`, in UTC. */
  readonly day: string;
  /** The last one: ISO 8601. */
  readonly last: string;
}

interface Sum extends Hits {
  readonly last: number;
}

/** Hits that are added up by day, rule and response, for a bounded number of them. */
export class HitSums {
  readonly #days = new Map<string, Map<string, Map<string, Sum>>>();
  readonly #max: number;
  #size = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** Number of different days, rules and responses. */
  get size(): number {
    return this.#size;
  }

  /** False when there is no room for another rule, response or day. */
  add(hit: RuleHit, time: Date): boolean {
    const responses = inner(inner(this.#days, time.toISOString().slice(0, 10)), hit.rule);
    const known = responses.get(hit.response);
    if (known === undefined) {
      if (this.#size >= this.#max) return false;
      this.#size += 1;
    }
    responses.set(hit.response, {
      matched: (known?.matched ?? 0) + hit.matched,
      decided: (known?.decided ?? 0) + hit.decided,
      audited: (known?.audited ?? 0) + hit.audited,
      last: Math.max(known?.last ?? 0, time.getTime()),
    });
    return true;
  }

  entries(): DayHit[] {
    return [...this.#days].flatMap(([day, rules]) =>
      [...rules].flatMap(([rule, responses]) =>
        [...responses].map(([response, { last, ...hits }]) => ({
          rule,
          response,
          day,
          ...hits,
          last: new Date(last).toISOString(),
        })),
      ),
    );
  }
}

function inner<T>(map: Map<string, Map<string, T>>, key: string): Map<string, T> {
  let found = map.get(key);
  if (found === undefined) map.set(key, (found = new Map<string, T>()));
  return found;
}
