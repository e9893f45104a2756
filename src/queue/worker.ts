import { DelayedError, type Processor } from 'bullmq';
import { toText } from '../store/json.js';
import { messageOf } from '../store/errors.js';
import type { Log } from '../telemetry/log.js';
import type { JobText, WorkerSettings } from './driver.js';
import { decodeJobId } from './job-id.js';
import type { JobHandler, LookOutcome } from './types.js';

/** Pause before the next run of a job whose handler threw, in ms. @param attempt runs so far */
export type Backoff = (attempt: number) => number;

/** 1 s, doubled each time, up to 5 minutes. */
export const defaultBackoff: Backoff = (attempt) => Math.min(1000 * 2 ** Math.min(attempt - 1, 20), 300_000);

/** Jobs never fail for good in the queue: who owns them decides when they are over. */
export const ENDLESS = 1_000_000_000;

/** The name of jobs that run again and again. */
export const REPEATED = 'repeated';

/** How many times its pace such a job rests when it found nothing to do. */
const REST = 5;

/** What such a job carries. */
export interface Repeated<Data = unknown> {
  /** ms from one run to the next. */
  readonly every: number;
  readonly data: Data;
}

/** What BullMQ's worker is told. Times in ms. */
export function workerSettings(concurrency: number, backoff: Backoff): WorkerSettings {
  return {
    concurrency,
    // A job of a process that was killed runs again when its lock is over and has been looked at twice.
    lockDuration: 15_000,
    stalledInterval: 7500,
    maxStalledCount: ENDLESS,
    drainDelay: 5,
    runRetryDelay: 1000,
    settings: { backoffStrategy: (attempt) => backoff(attempt) },
  };
}

/**
 * Runs a handler for BullMQ: `again` puts the job off, a throw has it run again after a growing pause, or at its pace. One
 * that repeats rests when it had nothing to do: a run costs a dozen queries, in the process that takes in mail as well.
 */
export function processorOf<Data>(name: string, handler: JobHandler<Data>, log: Log): Processor<JobText> {
  return async (job, token) => {
    const id = decodeJobId(job.id ?? '');
    const begun = Date.now();
    // The queue is ours alone: what is read is what was written.
    const repeated = job.name === REPEATED ? (JSON.parse(job.data) as Repeated<Data>) : undefined;
    let outcome: LookOutcome;
    try {
      const data = repeated === undefined ? (JSON.parse(job.data) as Data) : repeated.data;
      outcome = await handler(data, { id, attempt: job.attemptsStarted });
    } catch (error) {
      log.warn({ queue: name, job: id, reason: messageOf(error) }, 'a job failed and will run again');
      // Only the text is kept with the job, and it must be one that PostgreSQL takes.
      if (repeated === undefined) throw new Error(toText(messageOf(error)).slice(0, 500), { cause: error });
      // The pause after a throw grows with all throws of a job, and this one lives for ever.
      outcome = 'done';
    }
    if (repeated !== undefined && typeof outcome === 'string')
      outcome = { again: begun + repeated.every * (outcome === 'idle' ? REST : 1) };
    if (typeof outcome === 'string') return;
    await job.moveToDelayed(Math.max(outcome.again, Date.now() + 1), token);
    throw new DelayedError();
  };
}
