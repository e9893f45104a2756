import { createHash } from 'node:crypto';
import type { Severity } from '../../events/types.js';
import type { Envelope } from '../../message/envelope.js';
import type { TraceId } from '../../message/trace-id.js';
import type { Inspection } from '../../pipeline/types.js';
import { ruleContext } from '../context.js';
import { isOwnNotification } from '../loop-guard.js';
import type { Arrival, OweSettings } from '../owed.js';
import { isSevere, mostSevere, severityOf, severityOfNotice } from '../severity.js';
import type { MessageContext, NoticeClass, NoticeContext } from '../types.js';
import type { Webhook } from './hook.js';
import type { NoticePayload, RulePayload } from './payload.js';
import type { OwedWebhook } from './types.js';

/** More addresses are not sent. */
const MAX_ADDRESSES = 200;

/** Job ID and ledger key: the same thing for the same address is one call. */
export function callId(about: string, hook: Webhook): string {
  const identity = JSON.stringify([about, 'webhook', hook.url.href]);
  return `n${createHash('sha256').update(identity).digest('hex').slice(0, 39)}`;
}

/**
 * What a message owes to webhooks: one call for each, if a response fired that notifies anybody, and is severe enough.
 * As for mails, one of our own notifications that came back is told to nobody.
 */
export function oweToWebhooks(
  hooks: readonly Webhook[],
  inspection: Inspection,
  envelope: Envelope,
  settings: OweSettings,
  arrival: Arrival = {},
): readonly OwedWebhook[] {
  const told = hooks.filter(({ kinds }) => kinds.includes('rule'));
  if (!settings.enabled || told.length === 0) return [];
  const { intake } = arrival;
  const { traceId, facts, findings } = inspection;
  if (isOwnNotification({ envelope, facts, findings, ...(intake === undefined ? {} : { intake }) })) return [];
  const contributions = inspection.recipients.flatMap((outcome) =>
    outcome.decision.fired
      .filter((fired) => fired.notify.length > 0 && isSevere(severityOf(fired), settings.minSeverity))
      .map((fired) => ({ outcome, fired })),
  );
  if (contributions.length === 0) return [];
  const context = ruleContext(inspection, envelope, settings.node, contributions, arrival);
  const severity = mostSevere(contributions.map(({ fired }) => severityOf(fired)));
  return told.map((hook) => {
    const id = callId(traceId, hook);
    const payload: RulePayload = {
      ...beginning(id, context.date, settings.node.name, severity),
      kind: 'rule',
      traceId,
      message: messageOf(context),
      rules: context.rules.map(({ id: rule, name }) => ({ id: rule, name })),
      action: context.action,
      quarantined: context.quarantined,
      objects: context.objects.map((object) => ({ ...object })),
      objectsOmitted: context.objectsOmitted ?? 0,
    };
    return owedCall(hook, traceId, id, payload);
  });
}

/** What a notice to the admins owes to webhooks. @param about tells it from other notices about the same message */
export function noticeToWebhooks(
  hooks: readonly Webhook[],
  about: string,
  notice: { readonly traceId: TraceId; readonly class: NoticeClass },
  context: NoticeContext,
): readonly OwedWebhook[] {
  return hooks
    .filter(({ kinds }) => kinds.includes('notice'))
    .map((hook) => {
      const id = callId(`${notice.traceId} ${about}`, hook);
      const payload: NoticePayload = {
        ...beginning(id, context.date, context.node.name, severityOfNotice(notice.class)),
        kind: 'notice',
        traceId: notice.traceId,
        class: notice.class,
        description: context.errorDescription,
        message: messageOf(context),
        reported: context.reported.map(({ address, reason, status, server, reply }) => ({
          address,
          reason,
          status,
          server,
          reply,
        })),
        transcript: [...context.transcript],
        omitted: context.omitted,
      };
      return owedCall(hook, notice.traceId, id, payload);
    });
}

function owedCall(hook: Webhook, traceId: TraceId, id: string, payload: OwedWebhook['payload']): OwedWebhook {
  return { kind: 'webhook', id, hook: hook.id, to: hook.name, traceId, attach: 'none', payload };
}

function beginning(
  id: string,
  time: number,
  node: string,
  severity: Severity,
): Pick<RulePayload, 'version' | 'id' | 'time' | 'node' | 'severity'> {
  return { version: 1, id, time: new Date(time).toISOString(), node, severity };
}

function messageOf(
  context: Pick<
    MessageContext,
    'smtpMessageId' | 'sender' | 'senderIp' | 'allRecipients' | 'affectedRecipients' | 'subject' | 'size'
  >,
): RulePayload['message'] {
  return {
    messageId: context.smtpMessageId,
    sender: context.sender,
    senderIp: context.senderIp,
    recipients: context.allRecipients.slice(0, MAX_ADDRESSES),
    affectedRecipients: context.affectedRecipients.slice(0, MAX_ADDRESSES),
    subject: context.subject,
    size: context.size,
  };
}
