import type { Config } from '../../config/load.js';
import { withoutPasswords } from '../../config/secrets.js';
import { owedFor, type ToldGroup, type UntoldGroup } from '../../notifications/owed.js';
import { oweSettings } from '../../notifications/settings.js';
import { isDelivered } from '../../pipeline/copies.js';
import type { Inspection, InspectInput, RecipientOutcome } from '../../pipeline/types.js';
import type { Considered, Decision, SmtpReply } from '../../rules/types.js';

/** What would become of a message for one recipient: what `explain`, `test` and `replay` speak of. */
export interface RecipientReport {
  readonly rule: string;
  readonly action: Decision['action'];
  readonly quarantine: boolean;
  /** Tags and the like are changes to the copy: there are none where it is not delivered. */
  readonly tags: readonly string[];
  readonly headers: Decision['headers'];
  readonly warn: readonly string[];
  readonly disclaimer: readonly string[];
  readonly notify: readonly ToldGroup[];
  readonly suppressed: readonly UntoldGroup[];
  readonly considered: readonly Considered[];
  readonly reply?: SmtpReply;
  readonly redirect?: readonly string[];
  readonly copy: readonly string[];
  readonly route?: string;
  readonly fired: readonly { readonly response: string; readonly action: string }[];
  readonly edits: readonly string[];
  readonly notes: readonly string[];
}

export function reportFor(
  { recipient, decision, considered }: RecipientOutcome,
  inspection: Inspection,
  input: Pick<InspectInput, 'envelope' | 'intake' | 'receivedAt'>,
  config: Config,
): RecipientReport {
  const delivered = isDelivered(decision);
  const arrival = { intake: input.intake, receivedAt: input.receivedAt };
  const { notify, suppressed } = owedFor(recipient, inspection, input.envelope, oweSettings(config), arrival);
  const { rule, action, quarantine, reply, redirect, copy, route, notes } = decision;
  return {
    rule,
    action,
    quarantine,
    tags: delivered ? decision.tags : [],
    headers: delivered ? decision.headers : { set: {}, add: {}, remove: [] },
    warn: delivered ? decision.warn : [],
    disclaimer: delivered ? decision.disclaimer : [],
    notify,
    suppressed,
    considered,
    ...(reply === undefined ? {} : { reply }),
    ...(redirect === undefined ? {} : { redirect }),
    copy,
    ...(route === undefined ? {} : { route: withoutPasswords(route) }),
    fired: decision.fired.map((one) => ({ response: one.key, action: one.action })),
    edits: inspection.copies.find(({ recipients }) => recipients.includes(recipient))?.changes ?? [],
    notes,
  };
}
