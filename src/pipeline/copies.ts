import { planEdits } from '../message/edit.js';
import type { Message } from '../message/types.js';
import type { Decision } from '../rules/types.js';
import { bannersFor } from './banners.js';
import type { BannerSubject, BannerWriter, Copy, RecipientOutcome } from './types.js';

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

/** Gathers the recipients that share a decision, in the order of their first one. */
export function groupCopies(outcomes: readonly RecipientOutcome[]): readonly Copy[] {
  const groups = new Map<Decision, string[]>();
  for (const { recipient, decision } of outcomes) {
    const group = groups.get(decision);
    if (group === undefined) groups.set(decision, [recipient]);
    else group.push(recipient);
  }
  return [...groups].map(([decision, recipients]): Copy => ({ recipients, decision, edits: [], changes: [] }));
}

/**
 * Plans the changes of a copy that is delivered. Texts that had to be left out are taken from its decision, so that it
 * says what was done; the note says why.
 */
export function editCopy(
  copy: Copy,
  message: Message,
  subject: Omit<BannerSubject, 'copy'>,
  writer: BannerWriter | undefined,
): Copy {
  const { decision } = copy;
  if (!isDelivered(decision)) return copy;
  const filled =
    decision.warn.length + decision.disclaimer.length === 0
      ? undefined
      : bannersFor(decision, { ...subject, copy }, writer);
  const { removals, tags, headers } = decision;
  const { edits, notes, bannersLeftOut } = planEdits(message, {
    removals,
    tags,
    headers,
    ...(filled === undefined ? {} : { banners: filled.banners }),
  });
  const changes = [...notes, ...(filled?.notes ?? []), ...wayNotes(decision)];
  if (filled === undefined) return { ...copy, edits, changes };
  const names = (list: readonly { readonly name: string }[]): string[] =>
    bannersLeftOut === true ? [] : list.map(({ name }) => name);
  const { warn, disclaimer } = filled.banners;
  return { ...copy, edits, changes, decision: { ...decision, warn: names(warn), disclaimer: names(disclaimer) } };
}

/** Changes of where the copy goes. */
function wayNotes({ redirect, route }: Decision): string[] {
  return [
    ...(redirect === undefined ? [] : [`redirected to ${redirect.join(', ')}`]),
    // What stands before the @ may be a password.
    ...(route === undefined ? [] : [`routed to ${route.replace(/\/\/[^/]*@/, '//')}`]),
  ];
}

export function isDelivered(decision: Decision): boolean {
  return decision.action === 'deliver' || decision.action === 'delete-attachment';
}

/** Equal for decisions that do the same: the same rule, the same responses to the same findings. */
function decisionKey({ rule, process, action, fired, notes }: Decision): string {
  return JSON.stringify([rule, process, action, fired.map((one) => [one.key, one.action, one.findings]), notes]);
}
