import type { JobHandler, JobQueue, NewJob, QueueBackend } from '../../src/queue/types.js';

interface Job {
  readonly data: unknown;
  at: number;
  attempt: number;
  active: boolean;
}

/** Jobs in the memory of the test process, with a switch: what a backend does when it goes away, comes back, or comes back empty. */
export class MemoryBackend implements QueueBackend {
  readonly name = 'memory';
  readonly #queues = new Map<string, MemoryQueue>();
  readonly #listeners: (() => void)[] = [];
  #available = true;

  get available(): boolean {
    return this.#available;
  }

  get queues(): readonly string[] {
    return [...this.#queues.keys()];
  }

  queue<Data>(name: string): JobQueue<Data> {
    const queue = this.#queues.get(name) ?? new MemoryQueue(name, () => this.#available);
    this.#queues.set(name, queue);
    return queue as JobQueue<unknown> as JobQueue<Data>;
  }

  onAvailable(listener: () => void): void {
    this.#listeners.push(listener);
  }

  readonly trouble = undefined;

  unfit(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  onUnavailable(): void {
    // Nobody in delivery asks.
  }

  goAway(): void {
    this.#available = false;
  }

  /** @param empty without the jobs that were there */
  comeBack(empty = false): void {
    if (empty) for (const queue of this.#queues.values()) queue.wipe();
    this.#available = true;
    for (const listener of this.#listeners) listener();
  }

  async close(): Promise<void> {
    for (const queue of this.#queues.values()) await queue.stop();
  }
}

class MemoryQueue implements JobQueue<unknown> {
  readonly name: string;
  readonly #isAvailable: () => boolean;
  readonly #jobs = new Map<string, Job>();
  readonly #active = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;

  constructor(name: string, isAvailable: () => boolean) {
    this.name = name;
    this.#isAvailable = isAvailable;
  }

  add(id: string, data: unknown, delay = 0): Promise<void> {
    if (!this.#isAvailable()) return Promise.reject(new Error('the queue is away'));
    if (!this.#jobs.has(id)) this.#jobs.set(id, { data, at: Date.now() + delay, attempt: 0, active: false });
    return Promise.resolve();
  }

  repeat(): Promise<void> {
    return Promise.reject(new Error('this queue repeats no job'));
  }

  async addAll(jobs: readonly NewJob<unknown>[]): Promise<void> {
    for (const { id, data, delay } of jobs) await this.add(id, data, delay);
  }

  promote(id: string): Promise<void> {
    if (!this.#isAvailable()) return Promise.reject(new Error('the queue is away'));
    const job = this.#jobs.get(id);
    if (job !== undefined && !job.active) job.at = 0;
    return Promise.resolve();
  }

  remove(id: string): Promise<void> {
    this.#jobs.delete(id);
    return Promise.resolve();
  }

  process(concurrency: number, handler: JobHandler<unknown>): void {
    this.#timer = setInterval(() => {
      if (!this.#isAvailable()) return;
      for (const [id, job] of this.#jobs) {
        if (this.#active.size >= concurrency) break;
        if (job.active || job.at > Date.now()) continue;
        const work = this.#work(id, job, handler);
        this.#active.add(work);
        void work.finally(() => this.#active.delete(work));
      }
    }, 5);
  }

  counts(): Promise<{ waiting: number; active: number; delayed: number }> {
    const active = this.#active.size;
    return Promise.resolve({ waiting: this.#jobs.size - active, active, delayed: 0 });
  }

  wipe(): void {
    this.#jobs.clear();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.allSettled(this.#active);
  }

  async #work(id: string, job: Job, handler: JobHandler<unknown>): Promise<void> {
    job.active = true;
    job.attempt += 1;
    const [result] = await Promise.allSettled([handler(job.data, { id, attempt: job.attempt })]);
    job.active = false;
    if (result.status === 'rejected') job.at = Date.now() + 50;
    else if (typeof result.value === 'string') this.#jobs.delete(id);
    else job.at = result.value.again;
  }
}
