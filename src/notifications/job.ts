import type { OwedNotification } from './types.js';

/** Name of the queue. */
export const NOTIFICATION_QUEUE = 'notifications';

/** Name of the queue that one node works off: of what needs a large original from its disk. */
export function ownQueueOf(node: string): string {
  return `${NOTIFICATION_QUEUE}-${node}`;
}

/** Larger originals do not travel in a job: the node that has one on its disk sends it itself. Bytes. */
export const MAX_ORIGINAL_IN_JOB = 256 * 1024;

/** What a worker on any machine needs to send one notification. */
export interface NotificationJob {
  readonly notification: OwedNotification;
  /** The original in base64, for `attach: original`, where it is small. */
  readonly original?: string;
}

export interface Clock {
  /** ms since the epoch. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };
