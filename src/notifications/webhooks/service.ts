import type { Config } from '../../config/load.js';
import type { EventReporter } from '../../events/types.js';
import type { LookOutcome, QueueBackend } from '../../queue/types.js';
import type { SendingHolds } from '../../store/hold-types.js';
import type { WebhookStore } from '../../store/notification-book-types.js';
import type { EventStore, Ledger } from '../../store/types.js';
import type { Log } from '../../telemetry/log.js';
import { Holds } from '../holds.js';
import { INSIST } from '../insist.js';
import type { Clock } from '../job.js';
import { RepeatedLook, type LookJob } from '../repeated-look.js';
import type { Webhook } from './hook.js';
import { lookForCalls } from './look.js';
import { WebhookSender } from './sender.js';
import { callSchema, WEBHOOK_QUEUE, type WebhookCall } from './types.js';

/** Look what webhooks are to be told of events, or make a call. */
export type WebhookJob = LookJob | { readonly call: WebhookCall };

export interface WebhookOptions {
  readonly hooks: () => readonly Webhook[];
  readonly settings: () => Pick<Config['notifications'], 'retry' | 'minSeverity' | 'events'>;
  readonly queue: QueueBackend;
  readonly store: WebhookStore;
  readonly events: Pick<EventStore, 'active' | 'transitions' | 'lastTransition'>;
  readonly ledger: Ledger;
  /** Which process has what in hand; default: there is no other. */
  readonly holds?: SendingHolds;
  readonly reporter?: EventReporter;
  readonly log: Log;
  readonly clock: Clock;
  /** A call that lay in the outbox of this node has a final state. */
  readonly onSettled?: (id: string) => void;
  /** How often it is looked for events, ms. */
  readonly every?: number;
}

/** Calls that one process makes at the same time. */
const CONCURRENCY = 8;
const LOOK = 2000;
/** Calls that are put into the queue in one look. */
const MAX_OWED = 200;

/**
 * The worker's part of webhooks: makes the calls, and looks what is to be told of events, for all nodes once. What is
 * owed about messages lies in the outboxes, what is owed about events in the store: a queue that was emptied loses nothing.
 */
export class Webhooks {
  readonly #options: WebhookOptions;
  readonly #sender: WebhookSender;
  readonly #repeated: RepeatedLook;

  constructor(options: WebhookOptions) {
    this.#options = options;
    const { queue, hooks, settings, ledger, reporter, log, clock } = options;
    this.#sender = new WebhookSender({
      hooks,
      retry: () => settings().retry,
      ledger,
      log,
      clock,
      ...(reporter === undefined ? {} : { events: reporter }),
      ...(options.holds === undefined ? {} : { holds: new Holds(options.holds, log), insist: INSIST }),
      onSettled: async (call) => {
        if (call.payload.traceId === null) await options.store.settle([call.id]);
        else options.onSettled?.(call.id);
      },
    });
    queue.queue<WebhookJob>(WEBHOOK_QUEUE).process(CONCURRENCY, async (job) => await this.#work(job));
    this.#repeated = new RepeatedLook({
      queue,
      name: WEBHOOK_QUEUE,
      what: 'webhooks',
      every: options.every ?? LOOK,
      wanted: () => hooks().some(({ kinds }) => kinds.includes('event')),
      log,
    });
  }

  /** Close the queue after it: it waits for the running jobs. */
  close(): void {
    this.#repeated.close();
  }

  async #work(job: WebhookJob): Promise<LookOutcome> {
    if ('call' in job) return await this.#sender.handle(job.call);
    return await this.#look();
  }

  async #look(): Promise<LookOutcome> {
    const { hooks, settings, queue, store, events, ledger, clock, log, reporter } = this.#options;
    const { minSeverity, events: wanted } = settings();
    if (wanted.enabled) {
      const full = await lookForCalls({
        hooks: hooks(),
        events,
        webhooks: store,
        ledger,
        minSeverity,
        now: clock.now(),
      });
      for (const { name, maxWaiting } of full) {
        log.error({ webhook: name, maxWaiting }, 'too many messages wait for a webhook: further ones are not sent');
        reporter?.raise('notification-undeliverable', {
          subject: name,
          detail: `${maxWaiting} messages wait for ${name}: further ones are not sent`,
        });
      }
    }
    const owed = await store.owed(MAX_OWED);
    const jobs = owed.flatMap(({ id, call: text }) => {
      const call = callSchema.safeParse(JSON.parse(text));
      return call.success ? [{ id, data: { call: call.data }, delay: 0 }] : [];
    });
    // One that waits for its next attempt stays as it is.
    await queue.queue<WebhookJob>(WEBHOOK_QUEUE).addAll(jobs);
    return jobs.length > 0 ? 'done' : 'idle';
  }
}
