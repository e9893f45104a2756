/** What a handler says about a job: it is over, or it is to run again at that time (ms since the epoch). */
export type JobOutcome = 'done' | { readonly again: number };

/** What one says that looks for something to do: `idle` when there was nothing. */
export type LookOutcome = JobOutcome | 'idle';

export type JobHandler<Data> = (
  data: Data,
  context: { readonly id: string; readonly attempt: number },
) => Promise<LookOutcome>;

/** A job that is to be added. */
export interface NewJob<Data> {
  readonly id: string;
  readonly data: Data;
  /** ms from now. */
  readonly delay: number;
}

/**
 * A named queue of jobs. It is an index of something that lies on disk: losing it loses nothing.
 * Jobs run at least once.
 */
export interface JobQueue<Data> {
  readonly name: string;
  /**
   * Adds a job; while one of that ID waits or runs, adding it again changes nothing.
   * Rejects within about a second when the backend is out of reach.
   * @param delay ms from now
   */
  add(id: string, data: Data, delay?: number): Promise<void>;
  /** As `add` for many at a time: one round trip for all. Meant for hundreds, not for millions. */
  addAll(jobs: readonly NewJob<Data>[]): Promise<void>;
  /** Makes a waiting job run now; no error when there is none. */
  promote(id: string): Promise<void>;
  remove(id: string): Promise<void>;
  /**
   * Has a job run now, and again and again, by whichever process is free, once for all that ask for it. Asking again
   * changes data and pace from the next run on. One that throws is run again at its pace. A queue that was emptied has to
   * be asked anew.
   * @param every ms from the start of a run to that of the next; five times that after one that was `idle`
   */
  repeat(id: string, data: Data, every: number): Promise<void>;
  /** Starts working jobs off, at most `concurrency` at a time. A handler that throws is run again later. */
  process(concurrency: number, handler: JobHandler<Data>): void;
  /** Number of jobs by state. */
  counts(): Promise<{ readonly waiting: number; readonly active: number; readonly delayed: number }>;
}

/** The backend of all queues of a process: BullMQ on PostgreSQL or on Redis. */
export interface QueueBackend {
  /** For people, without secrets. */
  readonly name: string;
  readonly available: boolean;
  /** What keeps it out of reach; undefined while nothing does, or nothing is known. */
  readonly trouble: string | undefined;
  /** Why it must not be used as it is set up, though it may answer; undefined when nothing is known against it. */
  unfit(): Promise<string | undefined>;
  queue<Data>(name: string): JobQueue<Data>;
  /** Names of the queues that were asked for. */
  readonly queues: readonly string[];
  /** Called each time when the backend comes (back) into reach, also when it may have come back empty. */
  onAvailable(listener: () => void): void;
  onUnavailable(listener: (reason: string) => void): void;
  /** Stops workers (waiting for running jobs up to `grace` ms), then connections. */
  close(grace?: number): Promise<void>;
}
