import { replyLine } from '../delivery/reply.js';
import type { Delivery, DeliveryOutcome, DeliveryRequest } from '../delivery/types.js';
import { SpoolFullError } from '../delivery/types.js';
import { contentOf, type MessageSource } from '../message/source.js';
import { senderIsAuthenticated } from '../notifications/loop-guard.js';
import { isInternal } from '../notifications/mailbox.js';
import type { NotificationService } from '../notifications/service.js';
import type { InspectPool } from '../pipeline/pool.js';
import type { Inspection, InspectInput } from '../pipeline/types.js';
import type { SmtpReply } from '../rules/types.js';
import { MAX_NAMED } from '../smtp/stranger-log.js';
import type { MessageHandler, ReceivedMessage } from '../smtp/types.js';
import type { Log } from '../telemetry/log.js';
import { dispose, sendBlindCopies, type Disposed, type DisposalParts } from './disposal.js';
import { fatesOf, judge, NO_ROOM, type Settlement, type Verdict } from './outcome.js';
import { journalEntry } from './record.js';
import { originalOf, type Arrived } from './request.js';
import { hitsOf } from './rule-hits.js';

export interface ProcessorParts extends DisposalParts {
  readonly pool: InspectPool;
  readonly notifications: NotificationService;
  readonly log: Log;
}

/** The parts with the configuration that is in force when they are asked for. */
export type PartsInForce = () => ProcessorParts;

const INTERNAL_FAILURE: SmtpReply = { code: 451, enhanced: '4.3.0', text: 'Temporary failure, try again later' };

/**
 * What becomes of a message between its end of data and the reply. Failure semantics: whatever goes wrong here is
 * answered 4xx, and the client keeps the message; nothing is answered 250 before it is safe.
 */
export function createProcessor(inForce: PartsInForce): MessageHandler {
  return {
    hasRoom: () => inForce().delivery.hasRoom(),
    handle: async (message) => {
      try {
        return await handle(message, inForce);
      } catch (error) {
        const facts = { id: message.traceId, client: message.envelope.client, err: error };
        inForce().strangers.error(facts, 'the message could not be handled');
        return INTERNAL_FAILURE;
      }
    },
  };
}

/**
 * Inspects a message.
 * @returns also the parts with the configuration that belongs to the rules that judged it, whatever is reloaded meanwhile
 */
export async function inspectBy(
  input: InspectInput,
  source: MessageSource,
  inForce: PartsInForce,
): Promise<{ readonly inspection: Inspection; readonly parts: ProcessorParts }> {
  let parts = inForce();
  const inspection = await parts.pool.inspect(input, source, () => (parts = inForce()));
  return { inspection, parts };
}

async function handle(message: ReceivedMessage, inForce: PartsInForce): Promise<SmtpReply> {
  const { traceId, envelope, intake, receivedAt, source } = message;
  const { inspection, parts } = await inspectBy({ traceId, envelope, intake, receivedAt }, source, inForce);
  const disposed = await dispose(message, inspection, parts, { inline: true });
  const settlements = inEnvelopeOrder(message, disposed);
  let verdict = judge(traceId, settlements);
  const failure = await owe(message, inspection, verdict, disposed, parts);
  if (failure !== undefined) verdict = { kind: 'refuse', reply: failure };
  parts.store.journal.record(journalEntry(message, parts.config.node.name, inspection, settlements, verdict.reply));
  parts.store.counters.count(hitsOf(inspection), new Date(receivedAt));
  logOutcome(message, inspection, verdict, parts);
  return verdict.reply;
}

/**
 * What is owed besides the deliveries: deferred copies are kept, refused recipients reported, blind copies sent, people told.
 * @returns the reply that takes the verdict's place when it could not be made safe
 */
async function owe(
  message: ReceivedMessage,
  inspection: Inspection,
  verdict: Verdict,
  disposed: readonly Disposed[],
  parts: ProcessorParts,
): Promise<SmtpReply | undefined> {
  if (disposed.some((d) => d.settlements.some((s) => s.state === 'no-room'))) return undefined;
  try {
    if (verdict.kind === 'accept') {
      await keepDeferred(message, disposed, parts.delivery);
      await reportRefused(message, inspection, disposed, parts);
    }
    // A client that is to try again brings what is copied along.
    if (verdict.kind === 'accept' || verdict.reply.code >= 500)
      await sendBlindCopies(message, inspection, disposed, parts);
    await parts.notifications.owe(
      inspection,
      message.envelope,
      { intake: message.intake, receivedAt: message.receivedAt, fates: fatesOf(disposed) },
      contentOf(message.source),
      parts.config,
    );
    return undefined;
  } catch (error) {
    const facts = { id: message.traceId, client: message.envelope.client, err: error };
    parts.strangers.error(facts, 'what is owed could not be made safe: the client keeps the message');
    return error instanceof SpoolFullError ? NO_ROOM : INTERNAL_FAILURE;
  }
}

/** A copy that is deferred beside others that are settled is inspected again at its next attempt. */
async function keepDeferred(message: Arrived, disposed: readonly Disposed[], delivery: Delivery): Promise<void> {
  for (const { copy, request, settlements } of disposed) {
    const [first] = settlements;
    if (first?.state !== 'deferred') continue;
    await delivery.spoolForInspection(originalOf(message, copy, request), message.receivedAt, replyLine(first.reply));
  }
}

/**
 * Recipients that were refused beside others that were accepted are reported by a DSN, but only to a sender who is
 * internal or authenticated: to anyone else it would be backscatter.
 */
export async function reportRefused(
  message: Arrived,
  inspection: Inspection,
  disposed: readonly Disposed[],
  parts: ProcessorParts,
): Promise<void> {
  if (!disposed.some(({ settlements }) => settlements.some(isRefused))) return;
  const { envelope } = message;
  const internal = envelope.trusted && isInternal(envelope.sender, parts.config.domains);
  const known = internal || senderIsAuthenticated({ envelope, facts: inspection.facts, findings: inspection.findings });
  for (const { request, settlements } of disposed) {
    const refused = settlements.filter(isRefused);
    if (refused.length === 0) continue;
    const told: DeliveryRequest = { ...request, bounce: known ? request.bounce : 'never' };
    await parts.delivery.reportRefused(told, refused.map(refusedOutcome));
  }
}

function isRefused({ state }: Settlement): boolean {
  return state === 'refused' || state === 'rejected';
}

function refusedOutcome({ recipient, hop, reply, own }: Settlement): DeliveryOutcome {
  return { address: recipient, state: 'refused', hop, reply: { ...reply, ...(own === undefined ? {} : { own }) } };
}

function inEnvelopeOrder(message: Arrived, disposed: readonly Disposed[]): Settlement[] {
  const order = new Map(message.envelope.recipients.map((r, i) => [r.address, i]));
  const all = disposed.flatMap((d) => d.settlements);
  return all.sort((a, b) => (order.get(a.recipient) ?? Infinity) - (order.get(b.recipient) ?? Infinity) || 0);
}

/** Refused mail of strangers costs them nothing: what it has the log say is bounded. */
function logOutcome(message: ReceivedMessage, inspection: Inspection, verdict: Verdict, parts: ProcessorParts): void {
  const { config, log, strangers } = parts;
  if (!log.isLevelEnabled('info')) return;
  const { client, helo, tls, user, sender, recipients, trusted } = message.envelope;
  const bounded = verdict.reply.code >= 400 && !trusted;
  const named = (bounded ? recipients.slice(0, MAX_NAMED) : recipients).map(({ address }) => address);
  const facts = {
    id: message.traceId,
    client,
    helo,
    tls,
    ...(user === undefined ? {} : { user }),
    ...(config.log.addresses ? { sender, recipients: named } : {}),
    ...(named.length < recipients.length ? { recipientCount: recipients.length } : {}),
    size: inspection.facts.size,
    rules: inspection.copies.map((copy) => `${copy.decision.rule}:${copy.decision.action}`),
    ms: Date.now() - message.receivedAt,
    reply: replyLine(verdict.reply),
  };
  if (bounded) strangers.info(facts, 'message');
  else log.info(facts, 'message');
}
