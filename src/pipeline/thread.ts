import { Worker } from 'node:worker_threads';
import { internalReason } from '../detectors/failure.js';
import type { InspectorOptions } from './inspector.js';
import { stepBack, stepUp } from './priority.js';
import { createPulseMemory, NO_TASK, silence, startCounting, taskOnCpu, type PulseMemory } from './pulse.js';
import type { Run } from './run.js';
import type { PostedTask, WorkerAnswer, WorkerData } from './worker-messages.js';

/** ms that a new thread may take until it answers. */
const START_TIMEOUT = 60_000;

export interface ThreadOptions {
  readonly inspector: InspectorOptions;
  readonly workerFile: URL;
  /** MiB of JavaScript heap. */
  readonly heap: number;
}

/** What a thread tells its owner. */
export interface ThreadEvents {
  ready(thread: Thread): void;
  answered(thread: Thread, run: Run, answer: WorkerAnswer & { readonly id: number }): void;
  /** It has ended without being told to; what ran in it still stands in `runs`. */
  lost(thread: Thread, loss: Loss): void;
}

export interface Loss {
  /** `start`: it never became ready. */
  readonly kind: 'start' | 'memory' | 'crash';
  readonly reason: string;
}

/** One worker thread and what runs in it. */
export class Thread {
  /** By the number of the task. */
  readonly runs = new Map<number, Run>();
  /** Gets no more tasks than it has. */
  closedToNew = false;
  ready = false;
  /** Bytes of the messages in it. */
  bytes = 0;
  private readonly worker: Worker;
  private readonly pulse: PulseMemory = createPulseMemory();
  private readonly events: ThreadEvents;
  private readonly startTimer: NodeJS.Timeout;
  private systemId: number | undefined;
  private behind = false;
  private lastId = NO_TASK;
  private loss: Loss | undefined;
  private ended = false;

  constructor({ inspector, workerFile, heap }: ThreadOptions, events: ThreadEvents) {
    const workerData: WorkerData = { ...inspector, pulse: this.pulse };
    this.events = events;
    this.worker = new Worker(workerFile, { workerData, resourceLimits: { maxOldGenerationSizeMb: heap } });
    this.startTimer = setTimeout(() => {
      this.loss = { kind: 'start', reason: 'the thread does not start' };
      void this.worker.terminate();
    }, START_TIMEOUT);
    this.worker.on('message', (answer: WorkerAnswer) => this.take(answer));
    this.worker.on('error', (error: unknown) => {
      const memory = error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
      this.loss ??= { kind: memory ? 'memory' : this.ready ? 'crash' : 'start', reason: internalReason(error) };
    });
    this.worker.on('exit', () => {
      clearTimeout(this.startTimer);
      if (this.ended) return;
      this.ended = true;
      this.events.lost(this, this.loss ?? { kind: this.ready ? 'crash' : 'start', reason: 'the thread has ended' });
    });
  }

  /** ms since it gave a sign of life, while it has something to do. */
  get silence(): number {
    return this.runs.size === 0 ? 0 : silence(this.pulse);
  }

  /** The run that has the CPU for sure. */
  get onCpu(): Run | undefined {
    return this.runs.get(taskOnCpu(this.pulse));
  }

  /** @param deadline ms for it in the thread */
  post(run: Run, deadline: number): void {
    const id = (this.lastId = (this.lastId % 0x7fff_ffff) + 1);
    run.id = id;
    if (this.runs.size === 0) startCounting(this.pulse);
    this.runs.set(id, run);
    this.bytes += run.bytes;
    const posted: PostedTask = { ...run.task, id, deadline };
    this.worker.postMessage(posted);
  }

  /** What the thread says of it is not heard any more. */
  forget(run: Run): void {
    if (this.runs.delete(run.id)) this.bytes -= run.bytes;
  }

  /** It has been on one task for long: others go first on the CPU. */
  stepBack(): void {
    if (!this.behind && this.systemId !== undefined) this.behind = stepBack(this.systemId);
  }

  /** Ends that. @returns false when it stays behind */
  stepUp(): boolean {
    if (this.behind && this.systemId !== undefined) this.behind = !stepUp(this.systemId);
    return !this.behind;
  }

  /** Ends it, also in the midst of something. What ran in it still stands in `runs`. */
  async end(): Promise<void> {
    this.ended = true;
    clearTimeout(this.startTimer);
    await this.worker.terminate();
  }

  private take(answer: WorkerAnswer): void {
    switch (answer.kind) {
      case 'ready':
        clearTimeout(this.startTimer);
        this.ready = true;
        this.systemId = answer.systemId;
        this.events.ready(this);
        return;
      case 'unready':
        this.loss = { kind: 'start', reason: answer.reason };
        void this.worker.terminate();
        return;
      case 'inspected':
      case 'failed': {
        const run = this.runs.get(answer.id);
        if (run === undefined) return;
        this.forget(run);
        this.events.answered(this, run, answer);
      }
    }
  }
}
