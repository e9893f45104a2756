import type { Severity } from '../events/types.js';
import type { Envelope, IntakeReport } from '../message/envelope.js';
import type { Inspection, RecipientOutcome } from '../pipeline/types.js';
import type { Attach, FiredResponse, Group, NotifyTarget } from '../rules/types.js';
import { ruleContext, type Contribution } from './context.js';
import { notificationId } from './identity.js';
import { whyNotTold, type ExternalPolicy } from './loop-guard.js';
import { isSevere, severityOf } from './severity.js';
import type { Fate, Owed, OwedRuleNotification, RuleNotificationContext, SuppressedNotification } from './types.js';

/** What of the configuration says who is told. */
export interface OweSettings {
  /** `notifications.rules.enabled`: false owes nothing. */
  readonly enabled: boolean;
  /** `notifications.from`, with or without a display name. */
  readonly from: string;
  readonly general: readonly string[];
  /** Recipient domains of the gateway: who is internal. */
  readonly domains: readonly string[];
  readonly external: ExternalPolicy;
  /** `notifications.minSeverity` */
  readonly minSeverity: Severity;
  readonly node: RuleNotificationContext['node'];
}

/** What is known of the message's arrival besides the inspection. */
export interface Arrival {
  readonly intake?: IntakeReport;
  /** ms since the epoch; without it the time in the trace ID is taken. */
  readonly receivedAt?: number;
  /** By recipient; absent for all when nothing was delivered yet. */
  readonly fates?: ReadonlyMap<string, Fate>;
}

/** In the order in which groups are told; the first one of an address names the mail. */
const GROUPS: readonly Group[] = ['general', 'sender', 'recipients', 'additional'];
const ATTACH_STRENGTH: Readonly<Record<Attach, number>> = { none: 0, headers: 1, original: 2 };

interface Draft {
  readonly id: string;
  readonly group: Group;
  readonly to: string;
  readonly template: string;
  attach: Attach;
  readonly contributions: Contribution[];
}

/**
 * Who is to be told about a message, and who is not and why. Pure: the gateway and `gatepost explain` share it.
 * Owed is one mail for each template, address (in lower case) and message, for every response that fired, whatever
 * the final action; what several responses or rules say to the same address by the same template is one mail.
 */
export function owe(inspection: Inspection, envelope: Envelope, settings: OweSettings, arrival: Arrival = {}): Owed {
  if (!settings.enabled) return { notify: [], suppressed: [] };
  const message = { envelope, facts: inspection.facts, findings: inspection.findings, ...arrival };
  const drafts = new Map<string, Draft>();
  const suppressed = new Map<string, SuppressedNotification>();
  for (const { outcome, fired, target, to } of tellings(inspection, envelope, settings)) {
    const { group, template } = target;
    const id = notificationId(inspection.traceId, template, to);
    const reason =
      whyNotTold(to, group, message, settings) ??
      tooMild(fired, settings) ??
      unknownRecipient(target, outcome, arrival);
    if (reason !== undefined) {
      const { traceId } = inspection;
      const entry = { id, traceId, rule: outcome.decision.rule, group, to: to === '' ? '<>' : to, template, reason };
      if (!suppressed.has(id)) suppressed.set(id, entry);
      continue;
    }
    const draft = drafts.get(id) ?? { id, group, to, template, attach: target.attach, contributions: [] };
    if (ATTACH_STRENGTH[target.attach] > ATTACH_STRENGTH[draft.attach]) draft.attach = target.attach;
    draft.contributions.push({ outcome, fired });
    drafts.set(id, draft);
  }
  const notify = [...drafts.values()].map(({ contributions, ...draft }): OwedRuleNotification => ({
    ...draft,
    kind: 'rule',
    traceId: inspection.traceId,
    rule: contributions[0]?.outcome.decision.rule ?? '',
    context: ruleContext(inspection, envelope, settings.node, contributions, arrival),
  }));
  // An address may be told as one group and not as another: then its mail is owed, and the ledger must not say otherwise.
  return { notify, suppressed: [...suppressed.values()].filter((entry) => !drafts.has(entry.id)) };
}

function tooMild(fired: FiredResponse, { minSeverity }: OweSettings): string | undefined {
  const severity = severityOf(fired);
  if (isSevere(severity, minSeverity)) return undefined;
  return `its severity, ${severity}, is below notifications.minSeverity (${minSeverity})`;
}

/** A mail to it would be refused in the same way, and raise an event. */
function unknownRecipient(
  { group }: NotifyTarget,
  { recipient }: RecipientOutcome,
  { fates }: Arrival,
): string | undefined {
  return group === 'recipients' && fates?.get(recipient)?.unknown === true
    ? 'the next hop knows no such recipient'
    : undefined;
}

/** One address that a response tells about one recipient's copy. */
interface Telling {
  readonly outcome: RecipientOutcome;
  readonly fired: FiredResponse;
  readonly target: NotifyTarget;
  readonly to: string;
}

function* tellings(inspection: Inspection, envelope: Envelope, settings: OweSettings): Generator<Telling> {
  for (const group of GROUPS) {
    for (const outcome of inspection.recipients) {
      const addresses: Readonly<Record<Group, readonly string[]>> = {
        general: settings.general,
        sender: [envelope.sender],
        recipients: [outcome.recipient],
        additional: outcome.decision.additional,
      };
      for (const fired of outcome.decision.fired) {
        for (const target of fired.notify) {
          if (target.group !== group) continue;
          for (const to of addresses[group]) yield { outcome, fired, target, to: to.trim() };
        }
      }
    }
  }
}

/** Who is told by which template, as `gatepost explain` prints it. */
export interface ToldGroup {
  readonly group: Group;
  readonly to: readonly string[];
  readonly template: string;
}

export interface UntoldGroup extends ToldGroup {
  readonly reason: string;
}

/** What is owed for one recipient of the message, by groups. */
export function owedFor(
  recipient: string,
  inspection: Inspection,
  envelope: Envelope,
  settings: OweSettings,
  arrival: Arrival = {},
): { readonly notify: readonly ToldGroup[]; readonly suppressed: readonly UntoldGroup[] } {
  const recipients = inspection.recipients.filter((outcome) => outcome.recipient === recipient);
  const owed = owe({ ...inspection, recipients }, envelope, settings, arrival);
  return {
    notify: grouped(owed.notify, (entry) => ({ group: entry.group, template: entry.template })),
    suppressed: grouped(owed.suppressed, ({ group, template, reason }) => ({ group, template, reason })),
  };
}

function grouped<T extends { readonly to: string }, K extends object>(
  entries: readonly T[],
  keyOf: (entry: T) => K,
): (K & { readonly to: readonly string[] })[] {
  const groups = new Map<string, K & { to: string[] }>();
  for (const entry of entries) {
    const key = keyOf(entry);
    const name = JSON.stringify(key);
    const group = groups.get(name) ?? { ...key, to: [] };
    group.to.push(entry.to);
    groups.set(name, group);
  }
  return [...groups.values()];
}
