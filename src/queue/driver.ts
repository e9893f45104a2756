import type { JobsOptions, JobType, Processor, WorkerOptions } from 'bullmq';

/** Job data travel as JSON text: PostgreSQL's jsonb refuses some texts (NUL, lone surrogates) that JSON allows. */
export type JobText = string;

export interface BackendJob {
  isDelayed(): Promise<boolean>;
  promote(): Promise<void>;
  updateData(data: JobText): Promise<void>;
}

/** What we use of BullMQ's queue. */
export interface BackendQueue {
  add(name: string, data: JobText, options: JobsOptions): Promise<unknown>;
  addBulk(jobs: { readonly name: string; readonly data: JobText; readonly opts: JobsOptions }[]): Promise<unknown>;
  getJob(id: string): Promise<BackendJob | undefined>;
  remove(id: string): Promise<unknown>;
  getJobCounts(...types: JobType[]): Promise<Readonly<Record<string, number>>>;
  close(): Promise<void>;
}

/** What we use of BullMQ's worker. */
export interface BackendWorker {
  close(): Promise<void>;
  disconnect(): Promise<void>;
}

/** What differs between BullMQ on PostgreSQL and on Redis. */
export interface Driver {
  /** For people, without secrets. */
  readonly name: string;
  /**
   * Resolves when the backend answers and is ready for BullMQ, with whether it may have lost what it held since the
   * last time.
   */
  probe(): Promise<{ readonly emptied: boolean }>;
  /** What a failure is about, and what to do where an admin can do something. */
  reasonOf(error: unknown): string;
  /** Why it must not be used as it is set up; undefined also when it does not answer. */
  unfit(): Promise<string | undefined>;
  /** Called when a connection breaks. */
  onLost(listener: (reason: string) => void): void;
  /** Only after a probe that resolved. */
  openQueue(name: string): Promise<BackendQueue>;
  openWorker(name: string, processor: Processor<JobText>, options: WorkerSettings): Promise<BackendWorker>;
  close(): Promise<void>;
}

export type WorkerSettings = Omit<WorkerOptions, 'connection' | 'prefix'>;
