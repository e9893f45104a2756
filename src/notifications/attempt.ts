import type { Config } from '../config/load.js';
import type { EventReporter } from '../events/types.js';
import type { JobOutcome } from '../queue/types.js';
import type { KeptJob } from '../store/notification-book-types.js';
import type { Recorded } from '../store/sending-types.js';
import type { LedgerEntry } from '../store/types.js';
import type { Log } from '../telemetry/log.js';
import type { Hold, Holds } from './holds.js';
import type { Clock } from './job.js';
import type { MailTransport, NotificationMail } from './types.js';

/** How one attempt went. */
export interface Attempt {
  readonly state: 'sent' | 'failed' | 'later';
  readonly reply: string;
}

/** What an attempt was about. */
export interface Tried {
  /** Rows of the ledger that the mail stands for, this attempt counted. */
  readonly entries: readonly LedgerEntry[];
  /** Its lifetime counts from then, ms since the epoch. */
  readonly since: number;
  /** What is needed to send them again, by row. */
  readonly kept?: (entry: LedgerEntry, state: 'sent' | 'failed') => KeptJob | undefined;
}

export interface AttemptOptions {
  readonly config: () => Config;
  readonly transport: MailTransport;
  readonly log: Log;
  readonly clock: Clock;
  readonly events?: EventReporter;
  /** Keeps others from sending the same at the same time; default: there are none. */
  readonly holds?: Pick<Holds, 'take'>;
  /** How long the ledger is asked again and again to take an outcome before that is left to a later run; default: not at all. ms */
  readonly insist?: number;
}

/** How long a job waits when the ledger is away or another run of it is under way. ms */
export const LATER = 15_000;
const MAX_REPLY = 300;

/** Sends a mail to its one recipient. Never rejects. @param hold without which it is not sent */
export async function attempt(
  compose: () => Promise<NotificationMail>,
  about: Readonly<Record<string, unknown>>,
  { transport, log }: AttemptOptions,
  hold: Hold,
): Promise<Attempt> {
  try {
    const result = await transport.send({ ...(await compose()), wanted: hold.sure });
    const [recipient] = result.recipients;
    const { code, enhanced, text } = recipient?.reply ?? { text: 'no answer about the recipient' };
    const reply = [code, enhanced, text]
      .filter((part) => part !== undefined)
      .join(' ')
      .slice(0, MAX_REPLY);
    if (recipient?.state === 'delivered') return { state: 'sent', reply };
    return { state: recipient?.state === 'refused' ? 'failed' : 'later', reply };
  } catch (error) {
    log.error({ ...about, err: error }, 'a notification cannot be made');
    return { state: 'later', reply: 'the mail could not be made' };
  }
}

/** What an attempt comes to: rows for the ledger, and what becomes of the job when they are written. */
export interface Conclusion {
  readonly recorded: readonly Recorded[];
  readonly outcome: JobOutcome;
}

/**
 * Logs an attempt, raises or resolves the event, and says what is to be written: 5xx is final at once, all else is tried
 * again with growing delay until the lifetime is over.
 */
export function conclude(tried: Tried, done: Attempt, options: AttemptOptions): Conclusion {
  const { log, clock, transport, events, config } = options;
  const { retry } = config().notifications;
  const [first] = tried.entries;
  if (first === undefined) return { recorded: [], outcome: 'done' };
  const { id, traceId, template, group, to, attempts } = first;
  const mails = tried.entries.length > 1 ? { mails: tried.entries.length } : {};
  const about = { id, traceId, template, group, attempts, ...mails, server: transport.name, reply: done.reply };
  const final = (changes: { readonly state: 'sent' | 'failed'; readonly reason?: string }): Conclusion => ({
    outcome: 'done',
    recorded: tried.entries.map((entry) => {
      const kept = tried.kept?.(entry, changes.state);
      return { entry: { ...entry, lastReply: done.reply, ...changes }, ...(kept === undefined ? {} : { kept }) };
    }),
  });
  if (done.state === 'sent') {
    log.info(about, 'notification sent');
    events?.resolve('notification-undeliverable', to);
    return final({ state: 'sent' });
  }
  const now = clock.now();
  const deadline = tried.since + retry.lifetime;
  if (done.state === 'failed' || now >= deadline) {
    log.error(about, 'notification failed');
    const reason = done.state === 'failed' ? 'refused by the server' : 'given up: its lifetime is over';
    events?.raise('notification-undeliverable', {
      subject: to,
      detail: `${reason}: ${transport.name} said: ${done.reply}`,
    });
    return final({ state: 'failed', reason });
  }
  const delay = retry.delays[Math.min(attempts, retry.delays.length) - 1] ?? LATER;
  log.warn({ ...about, delay }, 'notification not sent yet');
  const again = Math.min(now + delay, Math.max(deadline, now));
  return {
    outcome: { again },
    recorded: tried.entries.map((entry) => ({
      entry: { ...entry, lastReply: done.reply, nextAttempt: new Date(again) },
    })),
  };
}
