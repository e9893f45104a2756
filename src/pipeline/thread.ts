import { Worker } from 'node:worker_threads';
import { codeOf } from '../config/file-error.js';
import { internalReason } from '../detectors/failure.js';
import type { DetectorSpec } from '../detectors/types.js';
import type { JudgedBy } from './inspector.js';
import { stepBack, stepUp } from './priority.js';
import { createPulseMemory, NO_TASK, silence, startCounting, taskOnCpu, type PulseMemory } from './pulse.js';
import type { Run } from './run.js';
import type { Sets, WorkerAnswer, WorkerData, WorkerOrder } from './worker-messages.js';

/** ms that a new thread may take until it answers, and a running one to take a further set. */
const START_TIMEOUT = 60_000;
/** MiB of its heap for what is young: half of what V8 would take, and give back minutes later. It is as fast with it. */
const YOUNG = 24;

export interface ThreadOptions {
  readonly specs: readonly DetectorSpec[];
  /** Those of the moment in which it is started. */
  readonly sets: Sets;
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
  /**
   * In the order in which they came. No Map: each time that one has made itself a new table, the old one points to it, and
   * once a table is old, so is all that comes after, until the whole heap is cleared up.
   */
  readonly runs: Run[] = [];
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
  /** It takes a further set, which keeps it from its messages for a while. */
  private adding: { readonly set: number; settle(failure?: string): void } | undefined;
  private lastId = NO_TASK;
  private loss: Loss | undefined;
  private ended = false;

  constructor({ specs, sets, workerFile, heap }: ThreadOptions, events: ThreadEvents) {
    const workerData: WorkerData = { specs, sets, pulse: this.pulse };
    this.events = events;
    const resourceLimits = { maxOldGenerationSizeMb: heap, maxYoungGenerationSizeMb: YOUNG };
    this.worker = new Worker(workerFile, { workerData, resourceLimits });
    this.startTimer = setTimeout(() => {
      this.loss = { kind: 'start', reason: 'the thread does not start' };
      void this.worker.terminate();
    }, START_TIMEOUT);
    this.worker.on('message', (answer: WorkerAnswer) => this.take(answer));
    this.worker.on('error', (error: unknown) => {
      const kind = codeOf(error) === 'ERR_WORKER_OUT_OF_MEMORY' ? 'memory' : 'crash';
      this.loss ??= { kind: this.ready ? kind : 'start', reason: internalReason(error) };
    });
    this.worker.on('exit', () => {
      clearTimeout(this.startTimer);
      this.adding?.settle();
      if (this.ended) return;
      this.ended = true;
      this.events.lost(this, this.loss ?? { kind: this.ready ? 'crash' : 'start', reason: 'the thread has ended' });
    });
  }

  /** ms since it gave a sign of life, while it has something to do. */
  get silence(): number {
    return this.runs.length === 0 ? 0 : silence(this.pulse);
  }

  /** It prepares a set: that it is silent says nothing about its messages. */
  get preparing(): boolean {
    return this.adding !== undefined;
  }

  /**
   * Makes it ready for tasks that name another set; one at a time. A thread that ends meanwhile is ready as far as anyone
   * is concerned: the one in its place begins with the set.
   * @throws Error when the set cannot be used
   */
  async add(set: number, judgedBy: JudgedBy): Promise<void> {
    if (this.ended) return;
    const failure = await new Promise<string | undefined>((resolve) => {
      const timer = setTimeout(() => void this.worker.terminate(), START_TIMEOUT);
      this.adding = {
        set,
        settle: (reason) => {
          clearTimeout(timer);
          this.adding = undefined;
          resolve(reason);
        },
      };
      this.tell({ kind: 'add', set, judgedBy });
    });
    if (failure !== undefined) throw new Error(failure);
  }

  /** No task will name the set any more. */
  drop(set: number): void {
    this.tell({ kind: 'drop', set });
  }

  /** The run that has the CPU for sure. */
  get onCpu(): Run | undefined {
    return this.runOf(taskOnCpu(this.pulse));
  }

  /** @param deadline ms for it in the thread */
  post(run: Run, deadline: number): void {
    const id = (this.lastId = (this.lastId % 0x7fff_ffff) + 1);
    run.id = id;
    if (this.runs.length === 0) startCounting(this.pulse);
    this.runs.push(run);
    this.bytes += run.bytes;
    this.tell({ kind: 'inspect', task: run.task, id, deadline });
  }

  private runOf(id: number): Run | undefined {
    return this.runs.find((run) => run.id === id);
  }

  private tell(order: WorkerOrder): void {
    this.worker.postMessage(order);
  }

  /** What the thread says of it is not heard any more. */
  forget(run: Run): void {
    const at = this.runs.indexOf(run);
    if (at < 0) return;
    this.runs.splice(at, 1);
    this.bytes -= run.bytes;
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
      case 'added':
        if (this.adding?.set === answer.set) this.adding.settle(answer.failure);
        return;
      case 'inspected':
      case 'failed': {
        const run = this.runOf(answer.id);
        if (run === undefined) return;
        this.forget(run);
        this.events.answered(this, run, answer);
      }
    }
  }
}
