import { replyLine } from '../delivery/reply.js';
import type { Inspection } from '../pipeline/types.js';
import type { Decision, SmtpReply } from '../rules/types.js';
import type { DeliveryRecord, JournalDecision, JournalEntry } from '../store/types.js';
import { type Settlement } from './outcome.js';
import type { Arrived } from './request.js';

/** The journal row of a message that has been answered. */
export function journalEntry(
  arrived: Arrived,
  node: string,
  inspection: Inspection,
  settlements: readonly Settlement[],
  reply: SmtpReply,
): JournalEntry {
  const { envelope } = arrived;
  const { facts } = inspection;
  return {
    id: arrived.traceId,
    time: new Date(arrived.receivedAt),
    node,
    client: envelope.client,
    helo: envelope.helo,
    sender: envelope.sender,
    recipients: envelope.recipients.map((r) => r.address),
    subject: facts.subject,
    messageId: facts.messageId,
    size: facts.size,
    findings: inspection.findings,
    modules: inspection.modules,
    decisions: decisionTrace(inspection),
    audit: inspection.audit,
    deliveries: deliveryRecords(settlements),
    reply: replyLine(reply),
  };
}

/** Why each recipient's copy is what it is. */
export function decisionTrace({ recipients, copies }: Inspection): JournalDecision[] {
  const changes = new Map(
    copies.flatMap((copy) => copy.recipients.map((recipient) => [recipient, copy.changes] as const)),
  );
  return recipients.map(({ recipient, decision, considered, omitted }) => ({
    recipient,
    decision: withoutPasswords(decision),
    considered,
    ...(omitted === undefined ? {} : { omitted }),
    changes: changes.get(recipient) ?? [],
  }));
}

export function deliveryRecords(settlements: readonly Settlement[]): DeliveryRecord[] {
  const time = new Date();
  return settlements.map(({ recipient, item, state, hop, reply }) => ({
    recipient,
    item,
    state: state === 'no-room' ? 'deferred' : state,
    hop,
    reply: replyLine(reply),
    time,
  }));
}

/** A decision as it may lie in the journal: the next hop that it names may have a password. */
function withoutPasswords(decision: Decision): Decision {
  if (decision.route === undefined && decision.fired.every(({ route }) => route === undefined)) return decision;
  return { ...masked(decision), fired: decision.fired.map(masked) };
}

function masked<T extends { readonly route?: string }>(value: T): T {
  return value.route === undefined ? value : { ...value, route: value.route.replace(/\/\/[^/]*@/, '//') };
}
