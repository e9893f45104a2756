import type { JournalDecision } from '../store/types.js';
import { out, paint, printable } from './terminal.js';

/** Prints why each recipient's copy is what it is. */
export function printDecisions(decisions: readonly JournalDecision[]): void {
  for (const { recipient, decision, considered, omitted, changes } of decisions) {
    out(`\n${paint('bold', `Decision for ${printable(recipient)}`)}: ${decision.action} by ${decision.rule}`);
    for (const fired of decision.fired) out(`  because   ${printable(fired.name)} (${fired.action})`);
    if (decision.quarantine) out('  kept      in the quarantine');
    for (const change of changes) out(`  changed   ${printable(change)}`);
    for (const note of decision.notes) out(`  note      ${printable(note)}`);
    for (const c of considered.filter((one) => !one.matched)) out(`  not ${c.rule}: ${printable(c.why)}`);
    if (omitted !== undefined) out(`  and ${omitted} more rules before it; gatepost explain tells why of each`);
  }
}
