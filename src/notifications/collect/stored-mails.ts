import type { JobOutcome, LookOutcome, QueueBackend } from '../../queue/types.js';
import type { Recorded, SendingStore } from '../../store/sending-types.js';
import type { LedgerEntry } from '../../store/types.js';
import { attempt, conclude, LATER, type AttemptOptions, type Tried } from '../attempt.js';
import { whileHeld, type Hold } from '../holds.js';
import { insist } from '../insist.js';
import type { NotificationMail, NotifiedNode } from '../types.js';
import type { NotificationJob } from '../job.js';
import { keptOf } from '../kept.js';
import { RepeatedLook, type LookJob } from '../repeated-look.js';
import { sendingRules } from '../rate/desk.js';
import { composeSummary, summaryIdentity } from '../summary/mail.js';
import type { Templates } from '../templates/load.js';
import { collectionMessageId, composeCollection } from './mail.js';

/** Name of the queue. */
export const STORED_QUEUE = 'notification-store';

/** Look what is due, or send one. */
type StoredJob = LookJob | { readonly summary: string } | { readonly collection: string };

export interface StoredMailOptions extends AttemptOptions {
  readonly queue: QueueBackend;
  readonly sending: SendingStore;
  /** For a summary's row in the ledger. */
  readonly entry: (id: string) => Promise<LedgerEntry | undefined>;
  readonly templates: Templates;
  readonly node: () => NotifiedNode;
  readonly times?: Partial<StoredMailTimes>;
}

/** Spans in ms. */
export interface StoredMailTimes {
  /** How often it is looked what is due: a summary or a collected mail goes out within that time. */
  readonly every: number;
  /** How often the queue is asked anew to have it looked, should it have forgotten. */
  readonly ask: number;
}

const TIMES: StoredMailTimes = { every: 2000, ask: 60_000 };
/** Of each kind, in one look. */
const AT_ONCE = 100;
const CONCURRENCY = 4;
const RETENTION = 90 * 86_400_000;
const DAY = 86_400_000;

/**
 * Mails that are owed by the store and not by a node's outbox: summaries, and what is collected into one. A job that the
 * queue repeats looks what is due, for all workers once, and adds a job for each. A queue that was emptied loses nothing.
 */
export class StoredMails {
  readonly #options: StoredMailOptions;
  readonly #repeated: RepeatedLook;
  readonly #running = new Set<string>();
  /** Outcomes that the ledger could not take yet, by ID of the mail. */
  readonly #unrecorded = new Map<string, readonly Recorded[]>();
  #pruned = 0;

  constructor(options: StoredMailOptions) {
    this.#options = options;
    const { queue, log } = options;
    queue.queue<StoredJob>(STORED_QUEUE).process(CONCURRENCY, async (job) => await this.#work(job));
    this.#repeated = new RepeatedLook({
      queue,
      name: STORED_QUEUE,
      what: 'mails that are due',
      log,
      ...TIMES,
      ...options.times,
    });
  }

  /** Close the queue after it: it waits for the running jobs. */
  close(): void {
    this.#repeated.close();
  }

  /** Makes the summaries that there is room for, and puts what is owed into the queue. */
  async look(): Promise<LookOutcome> {
    const { sending, queue, clock, config } = this.#options;
    const { notifications } = config();
    const now = clock.now();
    for (const address of await sending.dueStorms(now, AT_ONCE, notifications.rate === 'off'))
      await sending.claimSummary(address, now, (to) => summaryIdentity(to, now, notifications.from));
    const summaries = await sending.owedSummaries(AT_ONCE);
    const collections = await sending.dueCollections(now, AT_ONCE);
    // One that waits for its next attempt stays as it is.
    await queue
      .queue<StoredJob>(STORED_QUEUE)
      .addAll([
        ...summaries.map((id) => ({ id: `summary/${id}`, data: { summary: id }, delay: 0 })),
        ...collections.map((id) => ({ id: `collection/${id}`, data: { collection: id }, delay: 0 })),
      ]);
    if (now - this.#pruned >= DAY) {
      this.#pruned = now;
      await sending.prune(new Date(now - RETENTION));
    }
    return summaries.length + collections.length > 0 ? 'done' : 'idle';
  }

  async #work(job: StoredJob): Promise<LookOutcome> {
    if ('look' in job) return await this.look();
    const { holds, clock, log } = this.#options;
    const id = 'summary' in job ? job.summary : job.collection;
    if (this.#running.has(id)) return { again: clock.now() + LATER };
    this.#running.add(id);
    try {
      return await whileHeld(
        holds,
        id,
        clock,
        async (hold) => await ('summary' in job ? this.#summary(id, hold) : this.#collection(id, hold)),
      );
    } catch (error) {
      log.warn({ id, err: error }, 'a notification waits: the ledger cannot be reached');
      return { again: clock.now() + LATER };
    } finally {
      this.#running.delete(id);
    }
  }

  async #summary(id: string, hold: Hold): Promise<JobOutcome> {
    const { sending, entry, templates, config, node, clock } = this.#options;
    const settle = async (): Promise<void> => await sending.settleSummary(id);
    if (this.#unrecorded.has(id)) return await this.#record(id, settle);
    const summary = await sending.summary(id);
    if (summary === undefined) return 'done';
    const known = await entry(id);
    // Its row goes with the summary itself.
    if (known?.state !== 'queued') {
      await settle();
      return 'done';
    }
    const tried = { ...known, attempts: known.attempts + 1 };
    await sending.record([{ entry: tried }]);
    const since = known.reopenedAt?.getTime() ?? summary.time;
    return await this.#send(id, hold, { entries: [tried], since }, settle, async () =>
      composeSummary(summary, templates, config(), node(), clock.now()),
    );
  }

  async #collection(id: string, hold: Hold): Promise<JobOutcome> {
    const { sending, templates, config, clock } = this.#options;
    const settle = async (): Promise<void> => await sending.settleCollection(id);
    if (this.#unrecorded.has(id)) return await this.#record(id, settle);
    const { notifications } = config();
    const collection = await sending.startCollection(id, sendingRules(notifications, clock.now()));
    if (collection === undefined) return 'done';
    // Each mail is found by the Message-ID that it went out with.
    const messageId = collectionMessageId(id, notifications.from);
    const entries = collection.entries.map((entry) => ({ ...entry, messageId }));
    const bodies = new Map(entries.map((entry, i) => [entry.id, collection.bodies[i]]));
    const kept: Tried['kept'] = (entry, state) => {
      const body = bodies.get(entry.id);
      // The queue is ours alone: it is what the sender put aside.
      return body === undefined ? undefined : keptOf(JSON.parse(body) as NotificationJob, state);
    };
    return await this.#send(id, hold, { entries, since: collection.since, kept }, settle, async () =>
      composeCollection(collection, templates, config(), clock.now()),
    );
  }

  async #send(
    id: string,
    hold: Hold,
    tried: Tried,
    settle: () => Promise<void>,
    compose: () => Promise<NotificationMail>,
  ): Promise<JobOutcome> {
    const done = await attempt(compose, { id }, this.#options, hold);
    const { recorded, outcome } = conclude(tried, done, this.#options);
    if (outcome === 'done') {
      this.#unrecorded.set(id, recorded);
      return await this.#record(id, settle);
    }
    await this.#options.sending.record(recorded);
    return outcome;
  }

  async #record(id: string, settle: () => Promise<void>): Promise<JobOutcome> {
    const { sending, insist: patience = 0 } = this.#options;
    await insist(async () => await sending.record(this.#unrecorded.get(id) ?? []), patience);
    await settle();
    this.#unrecorded.delete(id);
    return 'done';
  }
}
