import { z } from 'zod';
import type { LookOutcome, QueueBackend } from '../queue/types.js';
import type { NotificationBook } from '../store/notification-book-types.js';
import type { LedgerEntry } from '../store/types.js';
import type { Log } from '../telemetry/log.js';
import { EVENT_QUEUE } from './digest/event-mails.js';
import { STORED_QUEUE } from './collect/stored-mails.js';
import { NOTIFICATION_QUEUE, ownQueueOf } from './job.js';
import { RepeatedLook, type LookJob } from './repeated-look.js';
import { WEBHOOK_QUEUE, WEBHOOK_TEMPLATE } from './webhooks/types.js';

export interface RetryOptions {
  readonly queue: QueueBackend;
  readonly book: Pick<NotificationBook, 'open' | 'takeHurried'>;
  /** Names of the nodes that are known. */
  readonly nodes: () => Promise<readonly string[]>;
  readonly log: Log;
  /** How often it is looked, ms. */
  readonly every?: number;
}

const RETRY_QUEUE = 'notification-retries';
const EVERY = 2000;
const AT_ONCE = 200;

/**
 * Does what `gatepost notifications retry` has asked for in the store, on whichever worker is free. What was reopened is
 * put into its queue until it has a final state: it lies in no outbox any more.
 */
export class ManualRetries {
  readonly #options: RetryOptions;
  readonly #repeated: RepeatedLook;

  constructor(options: RetryOptions) {
    this.#options = options;
    const { queue, log } = options;
    queue.queue<LookJob>(RETRY_QUEUE).process(1, async () => await this.look());
    this.#repeated = new RepeatedLook({
      queue,
      name: RETRY_QUEUE,
      what: 'retries',
      every: options.every ?? EVERY,
      log,
    });
  }

  /** Close the queue after it. */
  close(): void {
    this.#repeated.close();
  }

  async look(): Promise<LookOutcome> {
    const { book, queue, log } = this.#options;
    const open = await book.open(AT_ONCE);
    for (const { id, queue: name, job } of open) {
      const data = z.record(z.string(), z.unknown()).safeParse(JSON.parse(job));
      if (data.success) await queue.queue<Record<string, unknown>>(name).add(id, data.data);
      else log.error({ id }, 'what is kept of a notification is damaged: it cannot be sent again');
    }
    const hurried = await book.takeHurried(AT_ONCE);
    const nodes = hurried.some(({ kind }) => kind === 'rule') ? await this.#options.nodes() : [];
    for (const entry of hurried) for (const { name, id } of jobsOf(entry, nodes)) await queue.queue(name).promote(id);
    return open.length + hurried.length > 0 ? 'done' : 'idle';
  }
}

/** Where the job of a notification may wait: one with a large original in the queue of the node that has it. */
function jobsOf(
  { id, kind, template, to }: LedgerEntry,
  nodes: readonly string[],
): readonly { readonly name: string; readonly id: string }[] {
  if (template === WEBHOOK_TEMPLATE) return [{ name: WEBHOOK_QUEUE, id }];
  if (kind === 'event') return [{ name: EVENT_QUEUE, id: `mail/${id.slice(0, id.length - to.length - 1)}` }];
  if (kind === 'summary') return [{ name: STORED_QUEUE, id: `summary/${id}` }];
  const own = kind === 'rule' ? nodes.map((node) => ({ name: ownQueueOf(node), id })) : [];
  return [{ name: NOTIFICATION_QUEUE, id }, ...own];
}
