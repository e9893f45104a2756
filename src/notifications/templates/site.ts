import type { Config } from '../../config/load.js';

/** Where a reader sees the unique ID: `notifications.messageId`. */
export type MessageIdPlace = Config['notifications']['messageId'];

/** What of the configuration is seen in texts. */
export interface Site {
  readonly mydomain: string;
  /** What is not about one message needs none. */
  readonly messageId?: MessageIdPlace;
}

export function siteOf(config: {
  readonly domains: Config['domains'];
  readonly notifications: { readonly messageId: MessageIdPlace };
}): Site {
  return { mydomain: config.domains[0] ?? '', messageId: config.notifications.messageId };
}

/** Whether a reader finds the ID in the mail without looking into its header. */
export function showsId({ messageId = 'body' }: Site): boolean {
  return messageId === 'body' || messageId === 'subject';
}
