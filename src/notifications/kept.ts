import type { KeptJob } from '../store/notification-book-types.js';
import { NOTIFICATION_QUEUE, type NotificationJob } from './job.js';

/**
 * What is needed to send a mail again when somebody asks for it. The original is kept only where the mail did not arrive:
 * another copy of one that was sent has the header fields instead.
 */
export function keptOf(job: NotificationJob, state: 'sent' | 'failed'): KeptJob {
  const { notification } = job;
  return { queue: NOTIFICATION_QUEUE, job: JSON.stringify(state === 'sent' ? { notification } : job) };
}
