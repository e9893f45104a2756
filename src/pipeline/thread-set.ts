import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { internalReason } from '../detectors/failure.js';
import type { InspectorOptions } from './inspector.js';
import type { Inspection } from './types.js';
import type { WorkerAnswer, WorkerTask } from './worker.js';

/** ms that a new thread may take until it answers. */
const START_TIMEOUT = 60_000;

export type ThreadFailure =
  /** Over its deadline: the thread was ended. */
  | 'deadline'
  /** Out of memory: the thread has ended. */
  | 'memory'
  /** The thread has ended by itself: an exception outside of the inspection, or `process.exit`. */
  | 'crash'
  /** The inspection failed, the thread lives. */
  | 'error';

export type ThreadResult =
  { readonly inspection: Inspection } | { readonly failure: ThreadFailure; readonly reason: string };

export interface ThreadSetOptions extends InspectorOptions {
  readonly threads: number;
  readonly workerFile: URL;
  /** MiB of JavaScript heap of each thread; buffers count apart, bounded by the scan limits. */
  readonly heap: number;
  /** A thread has ended before its time. */
  readonly onRestart: () => void;
  /** A thread has failed while no message was in it. */
  readonly onIdleError: (reason: string) => void;
}

/** Threads that inspect with one set of rules and detectors. */
export class ThreadSet {
  private readonly piscina: Piscina<WorkerTask, WorkerAnswer>;
  private readonly threads: number;
  private started: Promise<void> | undefined;
  private users = 0;
  private retired: (() => void) | undefined;

  constructor(options: ThreadSetOptions) {
    const { threads, workerFile, heap, onRestart, onIdleError, bundle, specs, limits, deadline } = options;
    this.threads = threads;
    const data: InspectorOptions = { bundle, specs, limits, deadline };
    this.piscina = new Piscina<WorkerTask, WorkerAnswer>({
      filename: fileURLToPath(workerFile),
      minThreads: threads,
      maxThreads: threads,
      // Ending a thread for one message then never ends another one's.
      concurrentTasksPerWorker: 1,
      // Waiting by Atomics would stop a thread's loop between messages, and with it the detectors' connections.
      atomics: 'disabled',
      recordTiming: false,
      resourceLimits: { maxOldGenerationSizeMb: heap },
      workerData: data,
    });
    this.piscina.on('workerDestroy', () => {
      if (this.retired === undefined) onRestart();
    });
    this.piscina.on('error', (error: unknown) => onIdleError(internalReason(error)));
  }

  /** Resolves when every thread has loaded rules and detectors. @throws Error with the reason when one cannot */
  async ready(): Promise<void> {
    this.started ??= this.awaitThreads(this.threads);
    try {
      await this.started;
    } catch (error) {
      this.started = undefined;
      throw error;
    }
  }

  /** Inspects one message; when a thread was lost by it, resolves only when there is a new one. Never rejects. */
  async run(task: WorkerTask, deadline: number): Promise<ThreadResult> {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), deadline);
    try {
      const answer = await this.piscina.run(task, { signal: abort.signal });
      if (answer.kind === 'inspected') return { inspection: answer.inspection };
      return { failure: 'error', reason: answer.kind === 'failed' ? answer.reason : 'the thread answered out of turn' };
    } catch (error) {
      const failure = abort.signal.aborted ? 'deadline' : isOutOfMemory(error) ? 'memory' : 'crash';
      const reason = internalReason(error);
      this.started = this.awaitThreads(1);
      await this.ready().catch(() => undefined);
      return { failure, reason };
    } finally {
      clearTimeout(timer);
    }
  }

  /** Holds the set open for a message. */
  use(): void {
    this.users++;
  }

  /** The message is done with the set. */
  release(): void {
    this.users--;
    if (this.users === 0) this.retired?.();
  }

  /** Ends the threads when no message uses the set any more. */
  async retire(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.retired = resolve;
      if (this.users === 0) resolve();
    });
    await this.piscina.destroy();
  }

  private async awaitThreads(count: number): Promise<void> {
    const ask = async (): Promise<WorkerAnswer> =>
      await this.piscina.run({ kind: 'ready' }, { signal: AbortSignal.timeout(START_TIMEOUT) });
    const answers = await Promise.all(Array.from({ length: count }, ask));
    const failed = answers.find((answer) => answer.kind === 'failed');
    if (failed !== undefined) throw new Error(failed.reason);
  }
}

function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
}
