import path from 'node:path';
import type { Config } from '../config/load.js';
import type { EventReporter } from '../events/types.js';
import type { EnvelopeRecipient } from '../message/envelope.js';
import type { Content } from '../message/source.js';
import type { JobOutcome, QueueBackend } from '../queue/types.js';
import type { DurableFiles } from '../store/files.js';
import type { Log } from '../telemetry/log.js';
import { attempt, byDestination, inputFor, MovableContent, notTried, type AttemptedRecipient } from './attempt.js';
import type { Absence } from './breaker.js';
import { Destinations } from './destinations.js';
import { openHop, type HopOptions } from './hop.js';
import { ItemWork } from './item-work.js';
import { Pace } from './pace.js';
import { ownReply } from './reply.js';
import { Reports, type Reporting } from './reports.js';
import { Retries } from './retries.js';
import { settle } from './settle.js';
import { SpoolCommands, type QueueAnswer, type QueueRequest } from './spool-commands.js';
import { newItem } from './spool-item.js';
import { Spool } from './spool.js';
import type { SpoolEntry } from './spool-index.js';
import type { SpoolItem } from './spool-item.js';
import type {
  Delivery,
  DeliveryEvents,
  DeliveryOutcome,
  DeliveryRequest,
  HopState,
  Reinspection,
  SpoolState,
} from './types.js';
import { Waiting } from './waiting.js';

export interface DeliveryOptions extends Reporting {
  readonly config: Pick<Config, 'data' | 'delivery' | 'domains' | 'folder' | 'log' | 'node' | 'notifications' | 'smtp'>;
  /** Runs the retries; without it nothing that is spooled is tried again by this process. */
  readonly queue: QueueBackend | undefined;
  readonly log: Log;
  readonly events: DeliveryEvents;
  /** Inspects a copy that was deferred beside settled ones once more, and disposes of it. */
  readonly reinspect: (item: SpoolItem, content: Content) => Promise<Reinspection>;
  /** ms since the epoch. */
  readonly clock?: () => number;
  readonly files?: DurableFiles;
  /** Bounds of the client, for tests. */
  readonly hop?: Partial<HopOptions>;
  /** What the owner of the spool is called to others that want it. */
  readonly role?: string;
  /** Time between two probes of a hop that failed, ms. */
  readonly probeInterval?: number;
  /** Where hops that do not take mail are reported. */
  readonly reporter?: EventReporter;
}

/** How often `incoming` is looked at, and how often items without a job are looked for, ms. */
const INCOMING = 2000;
const SWEEP = 60_000;
/** Items that a sweep takes to have lost their job, at most: a crowd that waits for its turn has not. */
const DOUBTED = 1000;
/** While new mail comes in, attempts for mail of the spool run at a time: that part of the connections. */
const BESIDES = 8;
/** A hop that came back is told to waiting items once more after this: some were just being put back, ms. */
const SECOND_CALL = 5000;

/**
 * Opens delivery on the spool of this node (`<data>/spool`) and begins to work off what lies there.
 * @throws LockedError when another process works on it; HopUrlError for a next hop of the configuration
 */
export async function openDelivery(options: DeliveryOptions): Promise<Delivery> {
  const { config, log } = options;
  const spool = await Spool.open({
    folder: path.join(config.data, 'spool'),
    limits: config.delivery.spool,
    log,
    ...(options.files === undefined ? {} : { files: options.files }),
    ...(options.role === undefined ? {} : { role: options.role }),
  });
  try {
    return new NodeDelivery(options, spool);
  } catch (error) {
    await spool.close();
    throw error;
  }
}

class NodeDelivery implements Delivery {
  readonly #options: DeliveryOptions;
  readonly #spool: Spool;
  readonly #destinations: Destinations;
  readonly #work: ItemWork;
  readonly #commands: SpoolCommands;
  readonly #waiting: Waiting;
  readonly #retries: Retries | undefined;
  readonly #pace: Pace;
  readonly #now: () => number;
  readonly #timers: NodeJS.Timeout[] = [];
  #closed = false;

  constructor(options: DeliveryOptions, spool: Spool) {
    const { config, log, queue } = options;
    this.#options = options;
    this.#spool = spool;
    this.#now = options.clock ?? Date.now;
    this.#pace = new Pace(Math.max(1, Math.floor(config.delivery.connections / BESIDES)));
    this.#destinations = new Destinations({
      nextHop: config.delivery.nextHop,
      routes: config.delivery.routes,
      open: (url) =>
        openHop(url, {
          hostname: config.smtp.hostname,
          folder: config.folder,
          ...options.hop,
          pool: { connections: config.delivery.connections, ...options.hop?.pool },
        }),
      onBack: (hop, absence) => this.#hopIsBack(hop, absence),
      log,
      ...(options.probeInterval === undefined ? {} : { probeInterval: options.probeInterval }),
      ...(options.reporter === undefined ? {} : { reporter: options.reporter }),
    });
    this.#work = new ItemWork({
      ...options,
      spool,
      destinations: this.#destinations,
      now: this.#now,
      reports: new Reports({
        ...options,
        now: this.#now,
        has: (key) => spool.has(key),
        add: async (item, content) => await this.#work.add(item, content, true),
      }),
    });
    this.#waiting = new Waiting({ spool, work: this.#work, retry: config.delivery.retry, now: this.#now });
    if (queue !== undefined) {
      this.#retries = new Retries({
        backend: queue,
        node: config.node.name,
        log,
        waiting: () => this.#waiting.times(),
        worth: (key) => this.#waiting.isWorthTrying(key),
        run: (key) => this.#run(key),
        concurrency: config.delivery.connections,
        now: this.#now,
      });
      this.#work.onSpooled = (key, next) => void this.#retries?.index(key, next);
    }
    this.#commands = new SpoolCommands({
      spool,
      work: this.#work,
      now: this.#now,
      tryNow: (entries) => this.#tryNow(entries),
      index: async (key, at) => await this.#retries?.index(key, at),
    });
    this.#begin();
  }

  async command(request: QueueRequest): Promise<QueueAnswer> {
    return await this.#commands.run(request);
  }

  get hops(): readonly string[] {
    return this.#destinations.names;
  }

  get hopStates(): readonly HopState[] {
    return this.#destinations.states;
  }

  async checkHops(): Promise<void> {
    await this.#destinations.check();
  }

  get spoolState(): SpoolState {
    return this.#spool.state;
  }

  hasRoom(): boolean {
    return this.#spool.hasRoom();
  }

  async deliver(request: DeliveryRequest): Promise<readonly DeliveryOutcome[]> {
    const groups = byDestination(request, this.#destinations);
    const destinations = [...groups.keys()];
    if (!destinations.some(({ available }) => available)) return await this.spool(request);
    const content = new MovableContent(request.content);
    let wanted = true;
    const running = attempt(
      inputFor(request, content, () => wanted),
      groups,
    );
    const results = await this.#pace.inline(async () => await this.#inTime(running));
    if (results === undefined) {
      for (const destination of destinations) destination.slow();
      try {
        return await this.#spoolRunning(request, running, content);
      } catch (error) {
        // The client keeps it: unless its data have ended, it is not to be delivered now.
        wanted = false;
        throw error;
      }
    }
    await this.#work.reports.delivered(request, new Date(this.#now()), request.content, results);
    if (results.every(({ state }) => state !== 'deferred')) return results.map(outcomeOf);
    const now = this.#now();
    const { item } = settle(this.#itemOf(request, now), results, { delays: this.#delays, lifetime: Infinity }, now);
    try {
      await this.#work.add(item, request.content);
    } catch (error) {
      this.#work.records.unkept(item, results);
      throw error;
    }
    return results.map(outcomeOf);
  }

  async spool(request: DeliveryRequest): Promise<readonly DeliveryOutcome[]> {
    const groups = byDestination(request, this.#destinations);
    await this.#work.add(this.#itemOf(request, this.#now()), request.content);
    return [...groups].flatMap(([destination, recipients]) =>
      recipients.map(({ address }) => outcomeOf(notTried(address, destination))),
    );
  }

  async spoolForInspection(request: DeliveryRequest, receivedAt: number, reason: string): Promise<void> {
    const now = this.#now();
    const nextAttempt = new Date(now + (this.#delays[0] ?? 0)).toISOString();
    const item: SpoolItem = {
      ...this.#itemOf(request, now),
      stage: 'inspect',
      receivedAt: new Date(receivedAt).toISOString(),
      reason,
      ...(request.intake === undefined ? {} : { intake: request.intake }),
      nextAttempt,
    };
    await this.#work.add(item, request.content);
  }

  async reportRefused(request: DeliveryRequest, refused: readonly DeliveryOutcome[]): Promise<string | undefined> {
    const recipients = new Map(request.envelope.recipients.map((recipient) => [recipient.address, recipient]));
    const failures = refused.map(({ address, reply, hop }) => ({
      recipient: recipients.get(address) ?? { address },
      action: 'failed' as const,
      reply,
      ...(hop === '' ? {} : { hop }),
    }));
    return await this.#work.reports.refused(request, failures, new Date(this.#now()));
  }

  async close(grace = 30_000): Promise<void> {
    this.#closed = true;
    for (const timer of this.#timers) clearInterval(timer);
    this.#retries?.close();
    // What waits finds that no attempt begins any more.
    const stopped = this.#work.stop(grace);
    this.#pace.close();
    await stopped;
    await this.#destinations.close();
    await this.#spool.close();
  }

  get #delays(): readonly number[] {
    return this.#options.config.delivery.retry.delays;
  }

  /** Keeps mail whose attempt goes on beyond the client's patience: its end settles the item. */
  async #spoolRunning(
    request: DeliveryRequest,
    running: Promise<AttemptedRecipient[]>,
    content: MovableContent,
  ): Promise<DeliveryOutcome[]> {
    const item: SpoolItem = { ...this.#itemOf(request, this.#now()), running: true };
    const kept = await this.#work.addRunning(item, request.content, running);
    content.moveTo(this.#spool.content(kept));
    const reply = ownReply(451, '4.4.2', 'the next server has not answered yet');
    return item.recipients.map(({ address, hop }) => ({ address, state: 'spooled', hop, reply }));
  }

  async #inTime(running: Promise<AttemptedRecipient[]>): Promise<AttemptedRecipient[] | undefined> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), this.#options.config.delivery.inlineTimeout);
    });
    try {
      return await Promise.race([running, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  #itemOf(request: DeliveryRequest, now: number): SpoolItem {
    const item = newItem({ ...request, item: this.#spool.freeKey(request.item) }, new Date(now), '');
    const hopOf = ({ address }: EnvelopeRecipient): string => this.#destinations.of(address, request.route).name;
    return { ...item, recipients: item.recipients.map((one) => ({ ...one, hop: hopOf(one) })) };
  }

  #begin(): void {
    if (this.#retries === undefined) return;
    this.#suspectHops();
    // A hop may have come back while no job could be moved to the front.
    this.#options.queue?.onAvailable(() => this.#suspectHops());
    this.#retries.start();
    this.#every(INCOMING, () => this.#takeIncoming());
    this.#every(SWEEP, () => this.#sweep());
    void this.#whenWhole();
  }

  /** The rest of a large spool was read after the start. */
  async #whenWhole(): Promise<void> {
    await this.#spool.whole;
    if (this.#closed) return;
    this.#suspectHops();
    await this.#retries?.indexAll();
  }

  /** Probes the hops that mail waits for: what waits is tried as soon as they answer. */
  #suspectHops(): void {
    for (const destination of this.#waiting.destinations(this.#spool.entries())) destination.suspect();
  }

  #every(interval: number, action: () => Promise<void>): void {
    let busy = false;
    const tick = async (): Promise<void> => {
      if (busy) return;
      busy = true;
      try {
        await action();
      } catch (error) {
        this.#options.log.error({ err: error }, 'the spool could not be looked through');
      } finally {
        busy = false;
      }
    };
    const timer = setInterval(() => void tick(), interval);
    timer.unref();
    this.#timers.push(timer);
  }

  async #takeIncoming(): Promise<void> {
    for (const { item } of await this.#spool.takeIncoming()) await this.#retries?.index(item, this.#now());
  }

  /** Items whose time has passed long since may have lost their job: the most overdue ones are given one again. */
  async #sweep(): Promise<void> {
    await this.#spool.tidy();
    const late = this.#now() - SWEEP;
    const overdue: string[] = [];
    for (const [key, at] of this.#waiting.times()) {
      if (at < late) overdue.push(key);
      if (overdue.length === DOUBTED) break;
    }
    this.#retries?.doubt(overdue);
    await this.#retries?.indexAll();
  }

  /** Whoever asks for an attempt wants an open breaker to look again, too. */
  #tryNow(entries: readonly SpoolEntry[]): void {
    for (const destination of this.#waiting.destinations(entries)) if (!destination.available) destination.suspect();
    this.#retries?.hurry(entries.map(({ key }) => key));
    const now = this.#now();
    for (const { key } of entries) this.#spool.reschedule(key, now);
  }

  async #run(key: string): Promise<JobOutcome> {
    // A job of an item that is gone need not wait for its turn.
    if (!this.#spool.has(key)) return 'done';
    const later = this.#waiting.putOff(key);
    if (later !== undefined) return { again: later };
    return await this.#pace.spooled(async () => await this.#work.run(key));
  }

  /** What waits for the hop is tried now. */
  #hopIsBack(hop: string, absence: Absence): void {
    const since = this.#now();
    const hurry = (): void => this.#retries?.hurry(this.#waiting.forReturnOf(hop, since, absence));
    hurry();
    setTimeout(hurry, SECOND_CALL).unref();
  }
}

function outcomeOf({ address, state, hop, reply }: AttemptedRecipient): DeliveryOutcome {
  return { address, state: state === 'deferred' ? 'spooled' : state, hop, reply };
}
