import { createHash } from 'node:crypto';
import type { TraceId } from '../message/trace-id.js';

/**
 * Job ID and ledger key of one owed mail: the same template for the same address about the same message is one mail.
 * Starts with a letter and holds no colon, as BullMQ demands of a job ID.
 */
export function notificationId(traceId: TraceId, template: string, address: string): string {
  const identity = JSON.stringify([traceId, template, address.toLowerCase()]);
  return `n${createHash('sha256').update(identity).digest('hex').slice(0, 39)}`;
}

/**
 * The Message-ID field, without angle brackets: a retry has the same one.
 * @param site domain of the sender address
 */
export function notificationMessageId(id: string, site: string): string {
  return `${id}@${site}`;
}
