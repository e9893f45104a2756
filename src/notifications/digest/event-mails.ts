import type { Config } from '../../config/load.js';
import type { LookOutcome, QueueBackend } from '../../queue/types.js';
import type { EventMailStore, OwedEventMails } from '../../store/event-mail-types.js';
import type { EventStore } from '../../store/types.js';
import type { Log } from '../../telemetry/log.js';
import { RepeatedLook, type LookJob } from '../repeated-look.js';
import { sendEventMail, type EventSenderOptions } from './event-sender.js';
import { lookForMails } from './look.js';

/** Name of the queue. */
export const EVENT_QUEUE = 'event-mails';

/** Look what is due, or send one. */
type EventJob = LookJob | { readonly mail: string };

export interface EventMailOptions extends Omit<EventSenderOptions, 'mails'> {
  /** The configuration in force. */
  readonly config: () => Config;
  /** Time zone of the control node; default: that of the configuration. */
  readonly timezone?: () => Promise<string | undefined>;
  /** The present by the one clock that all who look go by, the database's; ms since the epoch. */
  readonly time: () => Promise<number>;
  readonly queue: QueueBackend;
  readonly events: Pick<EventStore, 'active' | 'resolved' | 'transitions' | 'lastTransition'>;
  readonly mails: EventMailStore & OwedEventMails;
  readonly log: Log;
  readonly times?: Partial<EventMailTimes>;
}

/** Spans in ms. */
export interface EventMailTimes {
  /** How often it is looked what is due: a change is told within five times that. */
  readonly every: number;
  /** How often the queue is asked anew to have it looked, should it have forgotten. */
  readonly ask: number;
}

const TIMES: EventMailTimes = { every: 2000, ask: 60_000 };
/** Mails that are owed and put into the queue in one look. */
const MAX_OWED = 100;
const CONCURRENCY = 2;
const RETENTION = 90 * 86_400_000;
const DAY = 86_400_000;

/**
 * Mails about events: a job that the queue repeats looks what is due, for all nodes and workers once, and adds a job for
 * each mail that is owed. What is owed lies in the store: a queue that was emptied loses nothing.
 */
export class EventMails {
  readonly #options: EventMailOptions;
  readonly #repeated: RepeatedLook;
  #pruned = 0;

  constructor(options: EventMailOptions) {
    this.#options = options;
    const { queue, log } = options;
    queue.queue<EventJob>(EVENT_QUEUE).process(CONCURRENCY, async (job) => await this.#work(job));
    this.#repeated = new RepeatedLook({ queue, name: EVENT_QUEUE, what: 'events', log, ...TIMES, ...options.times });
  }

  /** Close the queue after it: it waits for the running jobs. */
  close(): void {
    this.#repeated.close();
  }

  async #work(job: EventJob): Promise<LookOutcome> {
    if ('look' in job) return await this.#look();
    const { mails } = this.#options;
    const [mail] = await mails.owedBy([job.mail]);
    return mail === undefined ? 'done' : await sendEventMail(mail, this.#options);
  }

  async #look(): Promise<LookOutcome> {
    const { events, mails, queue, time, config } = this.#options;
    const { notifications, node } = config();
    const now = await time();
    if (notifications.events.enabled)
      await lookForMails({
        events,
        mails,
        recipients: notifications.events.recipients,
        schedule: {
          at: notifications.events.at,
          timezone: (await this.#options.timezone?.()) ?? node.timezone,
          changeInterval: notifications.events.changeInterval,
        },
        minSeverity: notifications.minSeverity,
        now,
      });
    const owed = await mails.owed(MAX_OWED);
    // One that waits for its next attempt stays as it is.
    await queue
      .queue<EventJob>(EVENT_QUEUE)
      .addAll(owed.map(({ id }) => ({ id: `mail/${id}`, data: { mail: id }, delay: 0 })));
    if (now - this.#pruned >= DAY) {
      this.#pruned = now;
      await mails.prune(new Date(now - RETENTION));
    }
    return owed.length > 0 ? 'done' : 'idle';
  }
}
