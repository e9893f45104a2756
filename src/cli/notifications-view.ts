import type { OpenStore } from '../store/open.js';
import type { LedgerEntry } from '../store/types.js';

/** One notification as JSON; scripts rely on the keys. */
export function notificationJson(n: LedgerEntry): object {
  return {
    id: n.id,
    kind: n.kind,
    traceId: n.traceId ?? null,
    rule: n.rule ?? null,
    group: n.group ?? null,
    to: n.to,
    template: n.template,
    state: n.state,
    ...(n.reason === undefined ? {} : { reason: n.reason }),
    attempts: n.attempts,
    messageId: n.messageId,
    lastReply: n.lastReply ?? null,
    time: n.time,
    ...(n.summary === undefined ? {} : { summary: n.summary }),
    ...(n.nextAttempt === undefined || n.state !== 'queued' ? {} : { nextAttempt: n.nextAttempt }),
  };
}

/** Without the angle brackets of a Message-ID. */
export function bare(id: string): string {
  return id.trim().replace(/^<(.*)>$/, '$1');
}

/** Notifications of that ID, or with that Message-ID. */
export async function findNotifications(store: OpenStore, id: string): Promise<readonly LedgerEntry[]> {
  const wanted = bare(id);
  const one = await store.notifications.get(wanted);
  return one === undefined ? await store.notifications.byMessageId(wanted) : [one];
}

/** The colour of a state on a terminal. */
export function colourOf(state: LedgerEntry['state']): 'green' | 'red' | 'yellow' | 'reset' {
  if (state === 'sent') return 'green';
  if (state === 'failed') return 'red';
  return state === 'queued' ? 'yellow' : 'reset';
}
