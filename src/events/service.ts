import path from 'node:path';
import { messageOf } from '../store/errors.js';
import { durableFiles, shared, type DurableFiles } from '../store/files.js';
import type { EventCondition, EventStore } from '../store/types.js';
import type { Log } from '../telemetry/log.js';
import { Elsewhere } from './elsewhere.js';
import { EventState } from './state.js';
import { loadState, saveState } from './state-file.js';
import type { EventService } from './types.js';

export interface EventsOptions {
  /** Name of this node. */
  readonly node: string;
  /** Where the state is kept: the data folder. */
  readonly folder: string;
  readonly store: EventStore;
  readonly log: Log;
  /** The present, ms since the epoch. */
  readonly now?: () => number;
  readonly files?: DurableFiles;
  /** How long resolved conditions are remembered, ms. */
  readonly retention?: number;
  readonly times?: Partial<EventTimes>;
}

/** Spans in ms. */
export interface EventTimes {
  /** An occurrence of what is known already reaches the store after at most so long, with all others of that time. */
  readonly occurrences: number;
  /** Pause after a failed write; it doubles up to the last value. */
  readonly pause: { readonly first: number; readonly last: number };
  /** What nobody has spoken for that long after the start is over. Every part checks what it reports more often. */
  readonly start: number;
  /** How often it is looked what has lapsed. */
  readonly lapse: number;
  /** How often the store is rid of what is too old. */
  readonly prune: number;
  /** How often it is looked what other nodes have to do with. */
  readonly elsewhere: number;
}

const TIMES: EventTimes = {
  occurrences: 5000,
  pause: { first: 500, last: 10_000 },
  start: 5 * 60_000,
  lapse: 30_000,
  prune: 3_600_000,
  elsewhere: 5000,
};
const RETENTION = 90 * 86_400_000;
/** Transitions in one transaction. */
const BATCH = 200;
const CLOSE_PATIENCE = 3000;

/**
 * Opens the events of this node: what its parts report is kept here, written to `events.json` in the folder when a
 * condition begins or ends, and to the store as soon as that takes it.
 */
export async function openEvents(options: EventsOptions): Promise<EventService> {
  const { folder, node, files = durableFiles(), log } = options;
  const file = path.join(folder, 'events.json');
  const kept = await loadState(file, files, log);
  return new NodeEvents({ ...options, files, file, times: { ...TIMES, ...options.times } }, new EventState(node, kept));
}

type Settled = EventsOptions & {
  readonly files: DurableFiles;
  readonly file: string;
  readonly times: EventTimes;
};

class NodeEvents implements EventService {
  readonly #options: Settled;
  readonly #state: EventState;
  readonly #elsewhere: Elsewhere;
  readonly #timers: NodeJS.Timeout[];
  readonly #save = shared(() => this.#saveNow());
  readonly #write = shared(() => this.#writeNow());
  #timer: { readonly handle: NodeJS.Timeout; readonly at: number } | undefined;
  #pause: number;
  #failing = false;
  #adopted = false;
  #full = false;
  #closed = false;

  constructor(options: Settled, state: EventState) {
    this.#options = options;
    this.#state = state;
    this.#elsewhere = new Elsewhere(options.node, options.store);
    const { times } = options;
    this.#pause = times.pause.first;
    this.#timers = [
      setTimeout(() => this.#ended(this.#state.startIsOver(this.#now)), times.start),
      setInterval(() => this.#ended(this.#state.lapse(this.#now)), times.lapse),
      setInterval(() => void this.#prune(), times.prune),
      setInterval(() => void this.#settleElsewhere(), times.elsewhere),
    ];
    for (const timer of this.#timers) timer.unref();
    // Takes over what the store has of this node.
    this.#schedule(0);
  }

  get active(): readonly EventCondition[] {
    return this.#state.active;
  }

  raise(...[event, raised]: Parameters<EventService['raise']>): void {
    if (this.#closed) return;
    const result = this.#state.raise(event, raised, this.#now);
    if (result === 'known') this.#schedule(this.#options.times.occurrences);
    else if (result === 'new' || result === 'worse') {
      const { subject, node, detail, severity } = raised;
      const about = { event, subject, node, detail, ...(result === 'worse' ? { severity } : {}) };
      this.#options.log.warn(about, result === 'new' ? 'event raised' : 'event became more severe');
      this.#changed();
    } else if (!this.#full) {
      this.#full = true;
      this.#options.log.error({ event }, 'too many events hold: further ones are not kept');
    }
  }

  resolve(...[event, subject, node]: Parameters<EventService['resolve']>): void {
    if (this.#closed) return;
    const ended = this.#state.resolve(event, this.#now, subject, node);
    if (node === undefined) this.#elsewhere.over(event, subject ?? '', this.#now);
    if (ended !== undefined) this.#ended([ended]);
  }

  checked(...[events]: Parameters<EventService['checked']>): void {
    if (!this.#closed) this.#ended(this.#state.checked(events, this.#now));
  }

  async flush(): Promise<void> {
    await this.#write();
  }

  async close(patience: number = CLOSE_PATIENCE): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const timer of this.#timers) clearInterval(timer);
    clearTimeout(this.#timer?.handle);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, patience);
    });
    const written = this.#write().catch((error: unknown) => this.#failed(error));
    await Promise.race([written, late]);
    clearTimeout(timer);
    await this.#save();
  }

  get #now(): Date {
    return new Date(this.#options.now?.() ?? Date.now());
  }

  #ended(conditions: readonly EventCondition[]): void {
    if (conditions.length === 0) return;
    this.#full = false;
    for (const { event, subject, node } of conditions)
      this.#options.log.info({ event, ...(subject === '' ? {} : { subject }), node }, 'event resolved');
    this.#changed();
  }

  #changed(): void {
    void this.#save();
    // After a failure it is tried when the pause is over, not at each change.
    this.#schedule(this.#failing ? this.#pause : 0);
  }

  /** Writes after so many ms, or earlier when that is planned already. */
  #schedule(delay: number): void {
    if (this.#closed) return;
    const at = performance.now() + delay;
    if (this.#timer !== undefined && this.#timer.at <= at) return;
    clearTimeout(this.#timer?.handle);
    const handle = setTimeout(() => {
      this.#timer = undefined;
      this.#write().catch((error: unknown) => this.#failed(error));
    }, delay);
    handle.unref();
    this.#timer = { handle, at };
  }

  #failed(error: unknown): void {
    const { log, times } = this.#options;
    if (!this.#failing) log.warn({ reason: messageOf(error) }, 'events cannot be stored: they wait on this node');
    this.#failing = true;
    this.#schedule(this.#pause);
    this.#pause = Math.min(this.#pause * 2, times.pause.last);
  }

  async #writeNow(): Promise<void> {
    const { store, node, log, times } = this.#options;
    if (!this.#adopted) {
      this.#state.adopt(await store.active(node), this.#now);
      this.#adopted = true;
    }
    let occurrences = true;
    while (this.#state.hasTransitions || (occurrences && this.#state.dirty)) {
      const batch = this.#state.batch(BATCH, occurrences);
      occurrences = false;
      await store.write(batch.transitions, batch.occurrences);
      this.#state.written(batch);
      if (batch.transitions.length > 0) await this.#save();
    }
    // What occurred meanwhile.
    if (this.#state.dirty) this.#schedule(times.occurrences);
    if (this.#failing) log.info('events are stored again');
    this.#failing = false;
    this.#pause = times.pause.first;
  }

  /** Never rejects: without the file there is still the memory, and the store. */
  async #saveNow(): Promise<void> {
    const { file, files, log } = this.#options;
    try {
      await saveState(file, files, this.#state.kept);
    } catch (error) {
      log.warn({ reason: messageOf(error) }, 'the state of events cannot be kept on disk');
    }
  }

  /** Never rejects: it is looked again. */
  async #settleElsewhere(): Promise<void> {
    const { times, log } = this.#options;
    try {
      const stored = this.#state.storedBefore(new Date(this.#now.getTime() - times.elsewhere));
      const ended = await this.#elsewhere.settle(stored, this.#now);
      if (ended.length === 0 || this.#closed) return;
      this.#state.forget(ended);
      for (const { event, subject } of ended) log.info({ event, subject }, 'event resolved by another node');
      void this.#save();
    } catch (error) {
      log.debug({ reason: messageOf(error) }, 'it cannot be looked what other nodes know of events');
    }
  }

  async #prune(): Promise<void> {
    const { store, retention = RETENTION, log } = this.#options;
    try {
      await store.prune(new Date(this.#now.getTime() - retention));
    } catch (error) {
      log.debug({ reason: messageOf(error) }, 'old events cannot be removed now');
    }
  }
}
