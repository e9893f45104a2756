import { decodeTime } from 'ulid';
import type { Finding } from '../detectors/types.js';
import type { Envelope } from '../message/envelope.js';
import type { Inspection, RecipientOutcome } from '../pipeline/types.js';
import type { Decision, FiredResponse } from '../rules/types.js';
import { comparable } from './mailbox.js';
import { outcomeText } from './templates/outcome-words.js';
import type { Fate, NotifiedObject, RuleNotificationContext } from './types.js';

/** More are counted, not listed: an archive can hold thousands, and the context lies in the outbox and in the job. */
const MAX_OBJECTS = 50;
/** In code units; no template shows more. */
const MAX_VALUE = 2000;

/** One response that fired for one recipient and tells the address in question. */
export interface Contribution {
  readonly outcome: RecipientOutcome;
  readonly fired: FiredResponse;
}

/** What is known of the message besides the inspection; of its time, if nothing else, what the trace ID says. */
interface Course {
  /** ms since the epoch. */
  readonly receivedAt?: number;
  readonly fates?: ReadonlyMap<string, Fate>;
}

/** What a template can show of one owed mail. */
export function ruleContext(
  inspection: Inspection,
  envelope: Envelope,
  node: RuleNotificationContext['node'],
  contributions: readonly Contribution[],
  { receivedAt = decodeTime(inspection.traceId), fates }: Course = {},
): RuleNotificationContext {
  const outcomes = [...new Set(contributions.map((each) => each.outcome))];
  const affected = affectedBy(inspection, outcomes);
  // Of those alone who are told about: one recipient does not learn what became of another's copy.
  const told = uniqueBy(outcomes, (outcome) => outcome.recipient);
  const byAction = outcomesOf(told, fates);
  const objects = notifiedObjects(
    contributions.flatMap((each) => each.fired.findings.map((finding) => ({ finding, fired: each.fired }))),
    inspection.facts.size,
  );
  return {
    messageId: inspection.traceId,
    smtpMessageId: clip(inspection.facts.messageId),
    date: receivedAt,
    sender: envelope.sender,
    senderIp: envelope.client,
    allRecipients: envelope.recipients.map((recipient) => recipient.address),
    affectedRecipients: affected.map((outcome) => outcome.recipient),
    subject: clip(inspection.facts.subject),
    size: inspection.facts.size,
    rules: uniqueBy(
      outcomes.map(({ decision }) => ({ id: decision.rule, name: decision.ruleName })),
      (rule) => rule.id,
    ),
    action: outcomeText(byAction),
    outcomes: byAction,
    quarantined: outcomes.some((outcome) => isQuarantined(outcome, fates)),
    objects: objects.slice(0, MAX_OBJECTS),
    ...(objects.length > MAX_OBJECTS ? { objectsOmitted: objects.length - MAX_OBJECTS } : {}),
    node,
  };
}

/** All recipients that share a decision with one of these. */
function affectedBy(inspection: Inspection, outcomes: readonly RecipientOutcome[]): RecipientOutcome[] {
  const names = new Set(outcomes.map((outcome) => outcome.recipient));
  for (const copy of inspection.copies) {
    if (copy.recipients.some((recipient) => names.has(recipient))) for (const each of copy.recipients) names.add(each);
  }
  const affected = inspection.recipients.filter((outcome) => names.has(outcome.recipient));
  return uniqueBy(affected, (outcome) => outcome.recipient);
}

type Outcomes = NonNullable<RuleNotificationContext['outcomes']>;

/** Who shares an action; where it is the same for all, they need not be named. */
function outcomesOf(told: readonly RecipientOutcome[], fates?: ReadonlyMap<string, Fate>): Outcomes {
  const byAction = new Map<string, string[]>();
  for (const { recipient, decision } of told) {
    const action = fates?.get(recipient)?.action ?? actionWord(recipient, decision);
    byAction.set(action, [...(byAction.get(action) ?? []), recipient]);
  }
  return [...byAction].map(([action, who]) => ({ action, recipients: byAction.size === 1 ? [] : who }));
}

/** Where the rule asks for no `defer` of its own, a copy is deferred because its original could not be put aside. */
function isQuarantined({ recipient, decision }: RecipientOutcome, fates?: ReadonlyMap<string, Fate>): boolean {
  return decision.quarantine && (decision.action === 'defer' || fates?.get(recipient)?.action !== 'defer');
}

/** The key among the words for actions. What others get instead is not delivered to the recipient. */
function actionWord(recipient: string, { action, redirect = [recipient] }: Decision): string {
  if (redirect.some((address) => comparable(address) === comparable(recipient))) return action;
  if (action === 'deliver') return 'redirect';
  return action === 'delete-attachment' ? 'redirect-without-attachment' : action;
}

function notifiedObjects(
  found: readonly { readonly finding: Finding; readonly fired: FiredResponse }[],
  messageSize: number,
): NotifiedObject[] {
  const objects = found.map(({ finding, fired }) => ({
    name: clip(finding.object ?? ''),
    size: finding.size ?? (finding.object === undefined ? messageSize : 0),
    status: statusWords(finding, fired),
    module: finding.module,
    threat: clip(threatOf(finding, fired)),
  }));
  return uniqueBy(objects, (each) => JSON.stringify(each));
}

/** A content expression is known to people by its name, any other finding by what the module said. */
function statusWords(finding: Finding, fired: FiredResponse): string {
  return fired.key.startsWith('content.') ? fired.name : finding.status;
}

function threatOf(finding: Finding, fired: FiredResponse): string {
  return fired.key.startsWith('content.') ? '' : (finding.name ?? '');
}

function clip(text: string): string {
  return text.length <= MAX_VALUE ? text : text.slice(0, MAX_VALUE);
}

function uniqueBy<T>(items: readonly T[], key: (item: T) => string): T[] {
  const seen = new Map<string, T>();
  for (const item of items) {
    const name = key(item);
    if (!seen.has(name)) seen.set(name, item);
  }
  return [...seen.values()];
}
