import type { OwedNotification } from '../types.js';

/** Whether `notifications.interval` holds for it: people whose mail it is about never wait. */
export function isCollected(notification: OwedNotification): boolean {
  return notification.kind === 'notice' || notification.group === 'general' || notification.group === 'additional';
}
