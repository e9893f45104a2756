import { planEdits } from '../message/edit.js';
import type { Message } from '../message/types.js';
import type { Decision } from '../rules/types.js';
import type { Copy, RecipientOutcome } from './types.js';

/** Makes equal decisions the same object, so that recipients can be grouped, and threads hand each over once. */
export function shareDecisions(outcomes: readonly RecipientOutcome[]): readonly RecipientOutcome[] {
  if (outcomes.length < 2) return outcomes;
  const known = new Map<string, Decision>();
  return outcomes.map((outcome) => {
    const key = decisionKey(outcome.decision);
    const decision = known.get(key) ?? outcome.decision;
    known.set(key, decision);
    return { ...outcome, decision };
  });
}

/**
 * Gathers the recipients that share a decision, in the order of their first one, and plans the changes of each copy
 * that is delivered.
 */
export function copiesOf(outcomes: readonly RecipientOutcome[], message: Message): readonly Copy[] {
  const groups = new Map<Decision, string[]>();
  for (const { recipient, decision } of outcomes) {
    const group = groups.get(decision);
    if (group === undefined) groups.set(decision, [recipient]);
    else group.push(recipient);
  }
  return [...groups].map(([decision, recipients]): Copy => {
    if (!isDelivered(decision)) return { recipients, decision, edits: [], changes: [] };
    const { edits, notes } = planEdits(message, decision);
    return { recipients, decision, edits, changes: notes };
  });
}

export function isDelivered(decision: Decision): boolean {
  return decision.action === 'deliver' || decision.action === 'delete-attachment';
}

/** Equal for decisions that do the same: the same rule, the same responses to the same findings. */
function decisionKey({ rule, process, action, fired, notes }: Decision): string {
  return JSON.stringify([rule, process, action, fired.map((one) => [one.key, one.action, one.findings]), notes]);
}
