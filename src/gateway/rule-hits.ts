import type { Inspection } from '../pipeline/types.js';
import type { RuleHit } from '../store/types.js';

/**
 * What a message adds to the counters of rules, made of what its evaluation left behind: nothing is evaluated for it.
 * The unit is a recipient.
 * - A rule matched when it decided, or when it is in mode `audit` and its scope took the recipient.
 * - A response matched when it fired; it decided when the final action is its own; it is audited when it would have fired.
 */
export function hitsOf({ recipients, audit }: Pick<Inspection, 'recipients' | 'audit'>): RuleHit[] {
  const hits: RuleHit[] = [];
  for (const { decision } of recipients) {
    const { rule, action, fired } = decision;
    hits.push({ rule, response: '', matched: 1, decided: 1, audited: 0 });
    // An attachment that cannot be deleted has its message rejected: no response asked for that, and all that fired decided.
    const own = fired.some((response) => response.action === action);
    for (const response of fired) {
      const decided = !own || response.action === action ? 1 : 0;
      hits.push({ rule, response: response.key, matched: 1, decided, audited: 0 });
    }
  }
  for (const { rule, fired = [] } of audit) {
    hits.push({ rule, response: '', matched: 1, decided: 0, audited: 1 });
    for (const key of fired) hits.push({ rule, response: key, matched: 1, decided: 0, audited: 1 });
  }
  return hits;
}
