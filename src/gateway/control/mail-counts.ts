import type { MessageHandler } from '../../smtp/types.js';

/** Messages since the start, by our answer. */
export interface MailCounts {
  readonly received: number;
  readonly accepted: number;
  /** Answered 4xx. */
  readonly deferred: number;
  /** Answered 5xx. */
  readonly refused: number;
  /** Being handled at the moment. */
  readonly running: number;
}

/** A handler that counts. */
export function countMail(handler: MessageHandler): { readonly handler: MessageHandler; readonly counts: MailCounts } {
  const counts = { received: 0, accepted: 0, deferred: 0, refused: 0, running: 0 };
  return {
    counts,
    handler: {
      hasRoom: () => handler.hasRoom(),
      handle: async (message) => {
        counts.received += 1;
        counts.running += 1;
        try {
          const reply = await handler.handle(message);
          if (reply.code < 400) counts.accepted += 1;
          else if (reply.code < 500) counts.deferred += 1;
          else counts.refused += 1;
          return reply;
        } finally {
          counts.running -= 1;
        }
      },
    },
  };
}
