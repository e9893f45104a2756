import { EVENTS, type EventName } from '../../events/registry.js';
import type { Severity } from '../../events/types.js';
import type { WebhookStore } from '../../store/notification-book-types.js';
import type { EventStore, Ledger, RecordedTransition } from '../../store/types.js';
import { isSevere } from '../severity.js';
import type { Webhook } from './hook.js';
import { callId } from './owed.js';
import type { EventPayload } from './payload.js';
import { callEntry } from './sender.js';
import type { WebhookCall } from './types.js';

export interface EventLookOptions {
  readonly hooks: readonly Webhook[];
  readonly events: Pick<EventStore, 'active' | 'transitions' | 'lastTransition'>;
  readonly webhooks: WebhookStore;
  readonly ledger: Ledger;
  readonly minSeverity: Severity;
  /** ms since the epoch */
  readonly now: number;
}

/**
 * Writes down what webhooks are to be told of events: each that is raised and each that is resolved, once over all
 * nodes. A webhook that is new is told from now on.
 * @returns the webhooks for which more waited than may: what they are not told stands in the ledger
 */
export async function lookForCalls(options: EventLookOptions): Promise<readonly Webhook[]> {
  const last = await options.events.lastTransition();
  const full: Webhook[] = [];
  for (const hook of options.hooks.filter(({ kinds }) => kinds.includes('event')))
    if (!(await lookFor(hook, last, options))) full.push(hook);
  return full;
}

async function lookFor(hook: Webhook, last: number, options: EventLookOptions): Promise<boolean> {
  const { events, webhooks, ledger, minSeverity, now } = options;
  const mark = await webhooks.mark(hook.id);
  if (mark === undefined) {
    await webhooks.claim(hook.id, undefined, last, []);
    return true;
  }
  if (last <= mark) return true;
  const transitions = await events.transitions(mark);
  const [newest] = transitions.slice(-1);
  if (newest === undefined) return true;
  const calls = transitions
    .filter(({ condition }) => isSevere(condition.severity, minSeverity))
    // That it cannot be told is not told to itself.
    .filter(({ condition }) => condition.event !== 'notification-undeliverable' || condition.subject !== hook.name)
    .map((transition) => eventCall(hook, transition));
  const room = Math.max(0, hook.maxWaiting - (await webhooks.waiting(hook.id)));
  const stored = calls.slice(0, room).map((call) => ({
    id: call.id,
    hook: hook.id,
    time: new Date(call.payload.time),
    call: JSON.stringify(call),
  }));
  if (!(await webhooks.claim(hook.id, mark, newest.seq, stored))) return true;
  const over = calls.slice(room);
  for (const call of over) await ledger.put(overflow(call, hook, now));
  return over.length === 0;
}

/** The ledger's row of a call that is not made because too many wait. */
export function overflow(call: WebhookCall, hook: Webhook, now: number): ReturnType<typeof callEntry> {
  const reason = `${hook.maxWaiting} messages wait for this webhook (maxWaiting)`;
  return { ...callEntry(call, new Date(now)), state: 'suppressed', reason };
}

function eventCall(hook: Webhook, { id: transition, change, condition }: RecordedTransition): WebhookCall {
  const { event, node, subject, severity, detail, first, last, lastSuccess, resolvedAt } = condition;
  const id = callId(transition, hook);
  const payload: EventPayload = {
    version: 1,
    kind: 'event',
    id,
    traceId: null,
    time: (resolvedAt ?? last).toISOString(),
    node,
    severity,
    event,
    group: isKnown(event) ? EVENTS[event].group : 'other',
    change,
    subject,
    detail,
    first: first.toISOString(),
    last: last.toISOString(),
    lastSuccess: lastSuccess?.toISOString() ?? null,
    resolvedAt: resolvedAt?.toISOString() ?? null,
  };
  return { id, hook: hook.id, to: hook.name, payload };
}

function isKnown(event: string): event is EventName {
  return Object.hasOwn(EVENTS, event);
}
