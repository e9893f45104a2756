import { buffer } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import type { Content } from '../message/source.js';
import type { JobQueue, NewJob, QueueBackend } from '../queue/types.js';
import { shared } from '../store/files.js';
import type { Ledger, LedgerEntry } from '../store/types.js';
import type { Log } from '../telemetry/log.js';
import { MAX_ORIGINAL_IN_JOB, NOTIFICATION_QUEUE, type Clock, type NotificationJob } from './job.js';
import { queuedEntry, suppressedEntry } from './ledger-entry.js';
import { headerOf } from './original.js';
import type { Outbox } from './outbox/outbox.js';
import { Batch } from './rate/batch.js';
import type { SendingDesk } from './rate/desk.js';
import type { OwedNotification, SuppressedNotification } from './types.js';
import { callEntry } from './webhooks/sender.js';
import type { WebhookJob } from './webhooks/service.js';
import { WEBHOOK_QUEUE, type OutboxEntry, type OwedWebhook } from './webhooks/types.js';

export interface DispatcherOptions {
  readonly outbox: Outbox;
  readonly backend: QueueBackend;
  readonly ledger: Ledger;
  /** Writes rows of the ledger, many at a time. */
  readonly desk: Pick<SendingDesk, 'record'>;
  /** `notifications.from` as it is in force. */
  readonly from: () => string;
  /** Queue that this node alone works off: what needs a large original from its disk. */
  readonly ownQueue: string;
  readonly log: Log;
  readonly clock: Clock;
}

/** Mails of any kind that are owed, and those that are not sent. */
export interface OwedMails {
  readonly notify: readonly OwedNotification[];
  readonly suppressed: readonly SuppressedNotification[];
  readonly webhooks?: readonly OwedWebhook[];
}

/** How often the outbox is compared with the ledger and the queue. ms */
export const SWEEP_INTERVAL = 15_000;
/** What the ledger has no final state for is added again, less and less often. ms */
const MAX_ADD_INTERVAL = 300_000;
const CHUNK = 200;
const MAX_UNRECORDED = 10_000;

/**
 * The gateway's part: writes what is owed to the outbox and keeps the queue an index of it. Adding may fail or be
 * forgotten by a queue that was wiped: what the ledger has no final state for is added again.
 */
export class NotificationDispatcher {
  /** Looks at everything in the outbox once: settled entries leave, others are added when it is their time. */
  readonly sweep = shared(() => this.sweepOnce());
  private readonly options: DispatcherOptions;
  /** What any worker can send, and what only this node can. */
  private readonly queues: Readonly<Record<'any' | 'own', Batch<NewJob<NotificationJob>, undefined>>>;
  private readonly calls: JobQueue<WebhookJob>;
  /** When an entry is to be added (again), and how often it was. */
  private readonly due = new Map<string, { readonly at: number; readonly adds: number }>();
  private readonly background = new Set<Promise<void>>();
  private unrecorded: LedgerEntry[] = [];
  private timer: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(options: DispatcherOptions) {
    this.options = options;
    const { backend, ownQueue } = options;
    this.queues = {
      any: adding(backend.queue<NotificationJob>(NOTIFICATION_QUEUE)),
      own: adding(backend.queue<NotificationJob>(ownQueue)),
    };
    this.calls = options.backend.queue<WebhookJob>(WEBHOOK_QUEUE);
  }

  /** Adds what a former run left, and begins to sweep. */
  start(): void {
    this.options.backend.onAvailable(() => {
      // It may have come back empty.
      this.due.clear();
      this.inBackground(this.sweep());
    });
    this.timer = setInterval(() => {
      this.inBackground(this.sweep());
    }, SWEEP_INTERVAL);
    this.timer.unref();
    this.inBackground(this.sweep());
  }

  /**
   * Resolves when what is owed is fsynced: only then may the client be answered. Rejects when it cannot be written.
   * @param original the message, for `attach: original` and `attach: headers`
   */
  async put(owed: OwedMails, original?: Content): Promise<void> {
    const { outbox, clock, from } = this.options;
    const now = clock.now();
    const { webhooks = [] } = owed;
    if (owed.notify.length + webhooks.length > 0) {
      const notify: readonly OutboxEntry[] = [...(await withHeader(owed.notify, original)), ...webhooks];
      for (const each of notify) this.due.set(each.id, { at: now + SWEEP_INTERVAL, adds: 1 });
      try {
        await outbox.put(notify, original);
      } catch (error) {
        for (const each of notify) this.due.delete(each.id);
        throw error;
      }
      this.inBackground(this.addAll(notify));
    }
    if (owed.suppressed.length > 0) {
      this.record(owed.suppressed.map((each) => suppressedEntry(each, from(), now)));
    }
  }

  /** Writes rows about what others send, or do not send. Never waits, never throws: kept up to a bound until the ledger is there. */
  record(entries: readonly LedgerEntry[]): void {
    this.unrecorded.push(...entries);
    this.inBackground(this.recordAll());
  }

  /** The ledger has a final state for it. */
  settled(id: string): void {
    this.due.delete(id);
    this.inBackground(this.options.outbox.settle([id]));
  }

  /** Waits for what is under way; the rest is found again in the outbox at the next start. */
  async close(): Promise<void> {
    this.closed = true;
    clearInterval(this.timer);
    while (this.background.size > 0) await Promise.all(this.background);
  }

  private isClosed(): boolean {
    return this.closed;
  }

  private async addAll(notifications: readonly OutboxEntry[]): Promise<void> {
    await Promise.all(notifications.map((each) => this.addFirst(each)));
  }

  private async addFirst(notification: OutboxEntry): Promise<void> {
    const { desk, from, clock, log } = this.options;
    const { id, traceId } = notification;
    try {
      await desk.record({ entry: firstEntry(notification, from(), clock.now()) });
    } catch (error) {
      log.warn({ id, traceId, err: error }, 'the ledger cannot be written: the notification is queued all the same');
    }
    await this.add(notification);
  }

  private async add(notification: OutboxEntry): Promise<void> {
    const { backend, log, outbox } = this.options;
    const { id, traceId } = notification;
    if (!backend.available || this.closed) return;
    try {
      if (notification.kind === 'webhook') {
        const { hook, to, payload } = notification;
        if (outbox.has(id)) await this.calls.add(id, { call: { id, hook, to, payload } });
        return;
      }
      const original = notification.attach === 'original' ? await outbox.original(traceId) : undefined;
      const large = original !== undefined && original.size > MAX_ORIGINAL_IN_JOB;
      const inJob = original === undefined || large ? {} : { original: await inBase64(original) };
      if (!outbox.has(id)) return;
      await this.queues[large ? 'own' : 'any'].ask({ id, data: { notification, ...inJob }, delay: 0 });
    } catch (error) {
      log.warn({ id, traceId, err: error }, 'the queue does not take a notification: it waits in the outbox');
    }
  }

  private async sweepOnce(): Promise<void> {
    if (this.isClosed()) return;
    const { outbox, clock } = this.options;
    await this.recordAll();
    const ids = outbox.ids();
    for (let i = 0; i < ids.length; i += CHUNK) {
      if (this.isClosed()) return;
      const chunk = ids.slice(i, i + CHUNK);
      await this.takeOutSettled(chunk);
      const now = clock.now();
      await Promise.all(chunk.filter((id) => (this.due.get(id)?.at ?? 0) <= now).map((id) => this.addAgain(id, now)));
    }
  }

  private async takeOutSettled(ids: readonly string[]): Promise<void> {
    const { outbox, ledger, log } = this.options;
    let settled: ReadonlySet<string>;
    try {
      settled = await ledger.settled(ids);
    } catch (error) {
      log.warn({ err: error }, 'the ledger cannot be read: notifications stay in the outbox');
      return;
    }
    for (const id of settled) this.due.delete(id);
    await outbox.settle(settled);
  }

  private async addAgain(id: string, now: number): Promise<void> {
    const { outbox, backend, log } = this.options;
    if (!outbox.has(id) || !backend.available) return;
    const adds = (this.due.get(id)?.adds ?? 0) + 1;
    this.due.set(id, { at: now + Math.min(SWEEP_INTERVAL * 2 ** (adds - 1), MAX_ADD_INTERVAL), adds });
    try {
      const notification = await outbox.read(id);
      if (notification !== undefined) await this.add(notification);
    } catch (error) {
      log.error({ id, err: error }, 'the outbox cannot be read');
    }
  }

  private async recordAll(): Promise<void> {
    const { ledger, log } = this.options;
    const entries = this.unrecorded;
    this.unrecorded = [];
    for (const [i, entry] of entries.entries()) {
      try {
        await ledger.put(entry);
      } catch (error) {
        // Kept up to a bound until the ledger is back.
        this.unrecorded = [...entries.slice(i), ...this.unrecorded].slice(0, MAX_UNRECORDED);
        log.warn({ err: error, waiting: this.unrecorded.length }, 'the ledger cannot be written');
        return;
      }
    }
  }

  /** Work that nobody waits for: its failures are logged, and a stop waits for it. */
  private inBackground(work: Promise<void>): void {
    const tracked = work
      .catch((error: unknown) => {
        this.options.log.error({ err: error }, 'the outbox could not be worked off');
      })
      .finally(() => this.background.delete(tracked));
    this.background.add(tracked);
  }
}

function firstEntry(owed: OutboxEntry, from: string, now: number): LedgerEntry {
  return owed.kind === 'webhook' ? callEntry(owed, new Date(now)) : queuedEntry(owed, from, now);
}

/** Jobs that a queue takes in one round trip. */
const ADDED_AT_ONCE = 100;

function adding(queue: JobQueue<NotificationJob>): Batch<NewJob<NotificationJob>, undefined> {
  return new Batch(ADDED_AT_ONCE, async (jobs) => {
    await queue.addAll(jobs);
    return jobs.map(() => undefined);
  });
}

async function inBase64(original: Content): Promise<string> {
  return (await buffer(Readable.from(original.read()))).toString('base64');
}

async function withHeader(
  owed: readonly OwedNotification[],
  original: Content | undefined,
): Promise<readonly OwedNotification[]> {
  if (original === undefined || owed.every((each) => each.attach === 'none')) return owed;
  const originalHeader = await headerOf(original);
  return owed.map((each) => (each.attach === 'none' ? each : { ...each, originalHeader }));
}
