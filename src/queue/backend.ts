import { setTimeout as sleep } from 'node:timers/promises';
import type { JobsOptions } from 'bullmq';
import type { Log } from '../telemetry/log.js';
import type { BackendQueue, BackendWorker, Driver } from './driver.js';
import { QueueError } from './errors.js';
import { encodeJobId } from './job-id.js';
import { Patience } from './patience.js';
import type { JobHandler, JobQueue, QueueBackend } from './types.js';
import {
  defaultBackoff,
  ENDLESS,
  processorOf,
  REPEATED,
  workerSettings,
  type Backoff,
  type Repeated,
} from './worker.js';

export interface BackendOptions {
  readonly backoff?: Backoff;
  /** How often a backend that answers is looked at, in ms. */
  readonly interval?: number;
}

/** Pause between looks at a backend that does not answer, in ms. */
const RETRY = { first: 100, last: 2000 };
/** One that answers for less than that, in ms, is looked at with growing pauses: it may answer, and yet take no jobs. */
const BRIEF = 5000;
/** How long a stop waits for jobs that are under way, ms. */
export const DEFAULT_GRACE = 10_000;
/** How long the question how it is set up may take, in ms. */
const UNFIT_PATIENCE = 2000;

interface Registration {
  readonly name: string;
  queue?: Promise<BackendQueue>;
  worker?: Promise<BackendWorker>;
  /** Jobs that are under way here. */
  readonly running: Set<Promise<unknown>>;
  work?: { readonly concurrency: number; readonly start: () => Promise<BackendWorker> };
}

/** One backend for all queues: watches over the connection and says when it comes and goes. */
export class WatchedBackend implements QueueBackend {
  readonly #driver: Driver;
  readonly #log: Log;
  readonly #backoff: Backoff;
  readonly #interval: number;
  readonly #queues = new Map<string, Registration>();
  readonly #availableListeners: (() => void)[] = [];
  readonly #unavailableListeners: ((reason: string) => void)[] = [];
  readonly #stop = new AbortController();
  readonly #patience = new Patience();
  #wake = new AbortController();
  #available = false;
  #trouble: string | undefined;
  /** When it came into reach; by the monotonic clock. */
  #since = -Infinity;
  /** How often in a row it was in reach only briefly. */
  #falls = 0;
  #watching: Promise<void> | undefined;
  #connecting: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(driver: Driver, log: Log, options: BackendOptions = {}) {
    this.#driver = driver;
    this.#log = log;
    this.#backoff = options.backoff ?? defaultBackoff;
    this.#interval = options.interval ?? 5000;
    driver.onLost((reason) => this.#lost(reason));
  }

  get name(): string {
    return this.#driver.name;
  }

  get queues(): readonly string[] {
    return [...this.#queues.keys()];
  }

  get #stopped(): boolean {
    return this.#stop.signal.aborted;
  }

  get available(): boolean {
    return this.#available;
  }

  get trouble(): string | undefined {
    return this.#available ? undefined : this.#trouble;
  }

  async unfit(): Promise<string | undefined> {
    return await atMost(UNFIT_PATIENCE, this.#driver.unfit());
  }

  /** Looks for the backend until it answers, but at most `patience` ms; then goes on looking by itself. @throws QueueError `refused` */
  async open(patience: number): Promise<void> {
    const deadline = Date.now() + patience;
    for (;;) {
      try {
        await this.#connect();
        break;
      } catch (error) {
        if (error instanceof QueueError && error.code === 'refused') throw error;
        this.#trouble = this.#driver.reasonOf(error);
        if (Date.now() > deadline) {
          this.#log.warn({ queue: this.name, reason: this.#trouble }, 'the job queue does not answer yet');
          break;
        }
        await sleep(RETRY.first / 2);
      }
    }
    this.#watching = this.#watch();
  }

  queue<Data>(name: string): JobQueue<Data> {
    const known = this.#queues.get(name);
    const registration: Registration = known ?? { name, running: new Set() };
    this.#queues.set(name, registration);
    return {
      name,
      add: async (id, data, delay = 0) =>
        await this.#use(registration, async (queue) => {
          await queue.add(name, JSON.stringify(data), jobOptions(id, delay));
        }),
      addAll: async (jobs) => {
        if (jobs.length === 0) return;
        await this.#use(registration, async (queue) => {
          await queue.addBulk(
            jobs.map(({ id, data, delay }) => ({ name, data: JSON.stringify(data), opts: jobOptions(id, delay) })),
          );
        });
      },
      repeat: async (id, data, every) =>
        await this.#use(registration, async (queue) => {
          // One job that never ends. BullMQ's schedulers would do, but on PostgreSQL two processes that set one up at once
          // can break its chain until it is set up anew: each run makes the next one only if no other took its place.
          const text = JSON.stringify({ every, data } satisfies Repeated);
          await queue.add(REPEATED, text, jobOptions(id, 0));
          // One that was there keeps what it was given; what is asked for now holds from its next run on.
          await (await queue.getJob(encodeJobId(id)))?.updateData(text);
        }),
      promote: async (id) =>
        await this.#use(registration, async (queue) => {
          const job = await queue.getJob(encodeJobId(id));
          if (job === undefined || !(await job.isDelayed())) return;
          // It may have become due meanwhile.
          await job.promote().catch(async (error: unknown) => {
            if (await job.isDelayed()) throw error;
          });
        }),
      remove: async (id) =>
        await this.#use(registration, async (queue) => {
          await queue.remove(encodeJobId(id));
        }),
      counts: async () =>
        await this.#use(registration, async (queue) => {
          const found = await queue.getJobCounts('wait', 'active', 'delayed');
          const of = (state: string): number => found[state] ?? 0;
          return { waiting: of('wait'), active: of('active'), delayed: of('delayed') };
        }),
      process: (concurrency, handler) => this.#process(registration, concurrency, handler),
    };
  }

  onAvailable(listener: () => void): void {
    this.#availableListeners.push(listener);
  }

  onUnavailable(listener: (reason: string) => void): void {
    this.#unavailableListeners.push(listener);
  }

  async close(grace: number = DEFAULT_GRACE): Promise<void> {
    this.#closing ??= this.#shutDown(grace);
    await this.#closing;
  }

  async #use<T>(registration: Registration, work: (queue: BackendQueue) => Promise<T>): Promise<T> {
    if (this.#stopped) throw new QueueError('unavailable', 'the job queue is closed');
    if (!this.#available) throw new QueueError('unavailable', 'the job queue is out of reach');
    try {
      return await this.#patience.wait(this.#openQueue(registration).then(work));
    } catch (error) {
      if (error instanceof QueueError && error.code === 'invalid') throw error;
      // Whoever was turned away waits for word that the backend is back: it must come, so the backend is looked at anew.
      const reason = this.#driver.reasonOf(error);
      this.#lost(reason);
      // Not as the cause: errors of Redis bear the whole command, job data included.
      throw new QueueError('unavailable', `the job queue ${registration.name} failed: ${reason}`);
    }
  }

  async #openQueue(registration: Registration): Promise<BackendQueue> {
    registration.queue ??= this.#driver.openQueue(registration.name).catch((error: unknown) => {
      delete registration.queue;
      throw error;
    });
    return await registration.queue;
  }

  #process<Data>(registration: Registration, concurrency: number, handler: JobHandler<Data>): void {
    if (registration.work !== undefined) throw new QueueError('invalid', `${registration.name} has its worker already`);
    const { running } = registration;
    const counted: JobHandler<Data> = async (data, context) => {
      const run = handler(data, context);
      running.add(run);
      return await run.finally(() => running.delete(run));
    };
    const processor = processorOf(registration.name, counted, this.#log);
    registration.work = {
      concurrency,
      start: async () =>
        await this.#driver.openWorker(registration.name, processor, workerSettings(concurrency, this.#backoff)),
    };
    if (this.#available) this.#startSoon(registration);
  }

  #startSoon(registration: Registration): void {
    this.#startWorker(registration).catch((error: unknown) => this.#lost(this.#driver.reasonOf(error)));
  }

  async #startWorker(registration: Registration): Promise<void> {
    if (registration.work === undefined || this.#stopped) return;
    registration.worker ??= registration.work.start().catch((error: unknown) => {
      delete registration.worker;
      throw error;
    });
    await registration.worker;
  }

  /** Brings everything into working order; one attempt at a time. Rejects when the backend is not fit for it. */
  async #connect(): Promise<void> {
    this.#connecting ??= this.#connectAnew().finally(() => {
      this.#connecting = undefined;
    });
    await this.#connecting;
  }

  async #connectAnew(): Promise<void> {
    const { emptied } = await this.#driver.probe();
    if (this.#available && !emptied) return;
    for (const registration of this.#queues.values()) {
      await this.#openQueue(registration);
      await this.#startWorker(registration);
    }
    if (this.#stopped) return;
    const before = this.#available;
    this.#available = true;
    // Work that was given to a queue while others were brought up has not been begun.
    for (const registration of this.#queues.values()) this.#startSoon(registration);
    if (!before) this.#since = performance.now();
    this.#log.info({ queue: this.name }, before ? 'the job queue was emptied' : 'the job queue is there');
    for (const listener of this.#availableListeners) listener();
  }

  #lost(reason: string): void {
    if (!this.#available || this.#stopped) return;
    this.#available = false;
    this.#trouble = reason;
    this.#falls = performance.now() - this.#since < BRIEF ? this.#falls + 1 : 0;
    this.#log.warn({ queue: this.name, reason }, 'the job queue is out of reach');
    this.#wake.abort();
    for (const listener of this.#unavailableListeners) listener(reason);
  }

  async #watch(): Promise<void> {
    let pause = this.#available ? this.#interval : RETRY.first;
    for (;;) {
      await this.#pause(pause);
      if (this.#falls > 1 && !this.#available) await this.#rest(Math.min(RETRY.first * 2 ** this.#falls, RETRY.last));
      if (this.#stopped) return;
      try {
        await this.#patience.wait(this.#connect());
        pause = this.#interval;
      } catch (error) {
        const reason = this.#driver.reasonOf(error);
        this.#lost(reason);
        this.#trouble = reason;
        pause = pause >= this.#interval ? RETRY.first : Math.min(pause * 2, RETRY.last);
        this.#log.debug({ queue: this.name, reason }, 'the job queue does not answer');
      }
      if (!this.#available) pause = Math.min(pause, RETRY.last);
    }
  }

  async #rest(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stop.signal }).catch(() => undefined);
  }

  async #pause(ms: number): Promise<void> {
    if (this.#wake.signal.aborted) {
      this.#wake = new AbortController();
      ms = Math.min(ms, RETRY.first);
    }
    const signal = AbortSignal.any([this.#stop.signal, this.#wake.signal]);
    await sleep(ms, undefined, { signal }).catch(() => undefined);
  }

  async #shutDown(grace: number): Promise<void> {
    this.#stop.abort();
    await this.#watching;
    const registrations = [...this.#queues.values()];
    await Promise.all(
      registrations.map(async ({ worker, running }) => {
        // With the backend out of reach BullMQ's close has no end: then what is under way here is all there is to wait for.
        await closeWorker(worker, grace, this.#available ? undefined : running);
      }),
    );
    await Promise.all(registrations.map(async ({ queue }) => await atMost(1000, closeQueue(queue))));
    this.#available = false;
    await atMost(2000, this.#driver.close());
  }
}

function jobOptions(id: string, delay: number): JobsOptions {
  return {
    jobId: encodeJobId(id),
    delay: Math.max(0, Math.round(delay)),
    attempts: ENDLESS,
    backoff: { type: 'custom' },
    removeOnComplete: true,
    // Cannot come to pass, and must not stand in the way of the job's being added again.
    removeOnFail: true,
    stackTraceLimit: 0,
  };
}

/**
 * Lets running jobs come to their end; when the time is over they are left to run again later.
 * @param running those that alone are waited for
 */
async function closeWorker(
  opening: Promise<BackendWorker> | undefined,
  grace: number,
  running: ReadonlySet<Promise<unknown>> | undefined,
): Promise<void> {
  const worker = await atMost(1000, opened(opening));
  if (worker === undefined) return;
  const closed = worker.close().then(() => 'closed');
  const ended = running === undefined ? closed : Promise.race([closed, Promise.allSettled(running)]);
  if ((await atMost(grace, ended)) === 'closed') return;
  closed.catch(() => undefined);
  await atMost(1000, worker.disconnect());
}

async function closeQueue(opening: Promise<BackendQueue> | undefined): Promise<void> {
  await (await opened(opening))?.close();
}

/** What was being opened; undefined when that failed. */
async function opened<T>(opening: Promise<T> | undefined): Promise<T | undefined> {
  try {
    return await opening;
  } catch {
    return undefined;
  }
}

/** The result, or undefined when it is not there after so many ms. */
async function atMost<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
  const timer = new AbortController();
  const late = sleep(ms, undefined, { signal: timer.signal }).catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    timer.abort();
  }
}
