import type { LedgerEntry } from '../store/types.js';
import { messageIdFor } from './compose.js';
import type { OwedNotification, SuppressedNotification } from './types.js';

/** The ledger's row of a mail that waits to be sent. @param time when it was first recorded, ms since the epoch */
export function queuedEntry(owed: OwedNotification, from: string, time: number, attempts = 0): LedgerEntry {
  return {
    id: owed.id,
    kind: owed.kind,
    traceId: owed.traceId,
    ...(owed.kind === 'rule' ? { rule: owed.rule, group: owed.group } : {}),
    to: owed.to,
    template: owed.template,
    state: 'queued',
    attempts,
    messageId: messageIdFor(owed.id, from),
    time: new Date(time),
  };
}

/** The ledger's row of a mail that is not sent. */
export function suppressedEntry(suppressed: SuppressedNotification, from: string, time: number): LedgerEntry {
  return {
    ...suppressed,
    kind: 'rule',
    state: 'suppressed',
    attempts: 0,
    messageId: messageIdFor(suppressed.id, from),
    time: new Date(time),
  };
}
