import type { DetectorSpec } from '../detectors/types.js';
import type { JudgedBy } from './inspector.js';
import type { Run, ThreadResult } from './run.js';
import { Suspicion } from './suspicion.js';
import { Thread, type Loss } from './thread.js';
import { ThreadStarts } from './thread-starts.js';
import type { Sets, WorkerTask } from './worker-messages.js';

/** ms beyond the deadline that a thread has to end by itself what detectors were told to end. */
const GRACE = 500;
/** ms between looks at the threads. */
const LOOK = 100;
/** ms after which a thread that does not turn gets no further tasks. */
const LATE = 100;
/** ms on one task after which a thread lets others go first on the CPU. */
const LONG = 300;
/** ms on one task after which a thread no longer counts as one that serves the others. */
const STUCK = 1_000;
/** ms more for each MiB of what it works on: a large message takes long without hanging. */
const PER_MIB = 100;
/** Bytes of messages in one thread; one message alone may be larger. */
const MAX_BYTES = 128 * 2 ** 20;
/**
 * Small messages may follow one another in a thread: so many, of so many bytes together, as long as it has turned to one
 * of them within so many ms. They are done before another thread would be awake, and the code of one thread is hot sooner
 * than that of all.
 */
export const ROW = { tasks: 16, bytes: 64 * 2 ** 10, silence: 10 };

export interface ThreadSetOptions {
  readonly specs: readonly DetectorSpec[];
  /** What messages are judged by at first. */
  readonly sets: Sets;
  readonly threads: number;
  /** One thread is enough to be ready; the others are started when this resolves. Absent: all at once. */
  readonly rest?: Promise<void>;
  /** Tasks that a thread works on at a time, besides small ones in a row: more than one where they wait for something. */
  readonly capacity: number;
  readonly workerFile: URL;
  /** MiB of JavaScript heap of each thread; buffers count apart, bounded by the scan limits. */
  readonly heap: number;
  /** Tasks that wait for a place, besides those that the set was given. */
  readonly waiting: () => number;
  /** How many tasks it can work on has changed. */
  readonly onPlaces: () => void;
  /** A thread has ended before its time. */
  readonly onRestart: () => void;
  /** A thread has failed while no message was in it. */
  readonly onIdleError: (reason: string) => void;
  /** A thread of a set that was ready before could not be started. */
  readonly onStartError: (reason: string) => void;
}

/**
 * Threads that inspect with the same detectors, by one or more sets of rules. A task that breaks or hangs its thread ends that thread,
 * and only a task that was alone in it is held responsible: others are done again elsewhere.
 */
export class ThreadSet {
  private readonly options: ThreadSetOptions;
  private readonly sets: Map<number, JudgedBy>;
  private readonly threads = new Set<Thread>();
  /** Replaced ones that still have tasks. */
  private readonly leaving = new Set<Thread>();
  private readonly queue: Run[] = [];
  /** Those that must be alone in their thread; they go first. */
  private readonly aloneQueue: Run[] = [];
  private readonly suspicion: Suspicion;
  private readonly looking: NodeJS.Timeout;
  private readonly starts = new ThreadStarts();
  /** How many there should be. */
  private wanted: number;
  private users = 0;
  private retired: (() => void) | undefined;
  private ended = false;

  constructor(options: ThreadSetOptions) {
    this.options = options;
    this.sets = new Map(options.sets);
    this.suspicion = new Suspicion({ again: (run) => this.again(run), drop: (thread) => this.giveUp(thread) });
    this.wanted = options.rest === undefined ? options.threads : 1;
    for (let i = 0; i < this.wanted; i++) this.addThread();
    void options.rest?.then(() => {
      this.wanted = options.threads;
      this.refill();
    });
    this.looking = setInterval(() => this.look(), LOOK);
    this.looking.unref();
  }

  /** Tasks that it can take; without a thread those of one, as they are told so at once. */
  get places(): number {
    return Math.max(1, this.threads.size) * Math.max(this.options.capacity, ROW.tasks);
  }

  /** Tasks that it works on at a time, whatever their size. */
  get lanes(): number {
    return this.threads.size * this.options.capacity;
  }

  /** Resolves when every thread that was started has loaded rules and detectors. @throws Error with the reason when one cannot */
  async ready(): Promise<void> {
    await this.starts.ready;
  }

  /**
   * Makes every thread ready for tasks that name another set: one thread after the other, so that the others serve
   * meanwhile.
   * @throws Error when the set cannot be used; it is then dropped again
   */
  async add(set: number, judgedBy: JudgedBy): Promise<void> {
    // From here on, new threads begin with it.
    this.sets.set(set, judgedBy);
    try {
      for (const thread of [...this.threads]) await thread.add(set, judgedBy);
    } catch (error) {
      this.drop(set);
      throw error;
    }
  }

  /** No task names the set any more. */
  drop(set: number): void {
    this.sets.delete(set);
    for (const thread of this.threads) thread.drop(set);
  }

  /**
   * Inspects one message; never rejects.
   * @param deadline ms in threads
   * @param alone no other message shares its thread
   */
  async run(task: WorkerTask, deadline: number, alone = false): Promise<ThreadResult> {
    return await new Promise<ThreadResult>((settle) => {
      const bytes = task.size;
      const run: Run = {
        task,
        deadline,
        bytes,
        settle,
        id: 0,
        alone,
        moves: 0,
        spent: 0,
        startedAt: 0,
        until: Infinity,
      };
      this.enqueue(run);
      this.pump();
    });
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
    this.ended = true;
    clearInterval(this.looking);
    await Promise.all([...this.threads, ...this.leaving].map(async (thread) => await thread.end()));
  }

  private addThread(): void {
    const { specs, workerFile, heap } = this.options;
    const thread = new Thread(
      { specs, sets: this.sets, workerFile, heap },
      {
        ready: () => this.started(),
        answered: (from, run, answer) => {
          run.settle(
            answer.kind === 'inspected'
              ? { inspection: answer.inspection }
              : {
                  failure: 'error',
                  reason: answer.kind === 'failed' ? answer.reason : 'the thread answered out of turn',
                },
          );
          this.freed(from);
        },
        lost: (from, loss) => this.lost(from, loss),
      },
    );
    this.threads.add(thread);
  }

  private started(): void {
    if (this.starts.succeeded(!this.pending)) this.refill();
    this.pump();
  }

  /** Whether a thread is being started. */
  private get pending(): boolean {
    return [...this.threads].some((thread) => !thread.ready);
  }

  /** As many threads as there should be: also in a set that is replaced, as long as messages use it. */
  private refill(): void {
    if (this.ended) return;
    while (this.threads.size < this.wanted && this.starts.may(this.pending)) this.addThread();
    this.options.onPlaces();
  }

  private enqueue(run: Run): void {
    (run.alone ? this.aloneQueue : this.queue).push(run);
  }

  /** Gives tasks to threads as long as there are both. Without a thread, and where none may be started now, they fail. */
  private pump(): void {
    if (this.threads.size === 0) this.refill();
    if (this.threads.size === 0) {
      const reason = this.starts.reason ?? 'there is no thread';
      for (const run of [...this.aloneQueue.splice(0), ...this.queue.splice(0)])
        run.settle({ failure: 'start', reason });
      return;
    }
    for (const queue of [this.aloneQueue, this.queue]) {
      for (let [run] = queue; run !== undefined; [run] = queue) {
        const thread = this.threadFor(run);
        if (thread === undefined) break;
        queue.shift();
        this.start(run, thread);
      }
    }
  }

  /** The first thread that can take it in a row, or the one with the fewest tasks that can take one more. */
  private threadFor(run: Run): Thread | undefined {
    const kept = run.alone || this.aloneQueue.length === 0 ? undefined : leastBusy(this.threads);
    let best: Thread | undefined;
    for (const thread of this.threads) {
      const size = thread.runs.length;
      if (!thread.ready || thread.closedToNew || thread === kept) continue;
      if (thread.preparing && this.threads.size > 1) continue;
      if (size > 0 && !run.alone && inRow(run, thread)) return thread;
      if (size >= (run.alone ? 1 : this.options.capacity)) continue;
      if (size > 0 && (thread.bytes + run.bytes > MAX_BYTES || thread.silence > LATE)) continue;
      if (best === undefined || size < best.runs.length) best = thread;
    }
    return best;
  }

  private start(run: Run, thread: Thread): void {
    if (run.alone) thread.closedToNew = true;
    // What it lost elsewhere counts, but an innocent one must have time to be done.
    const left = Math.max(run.deadline / 2, run.deadline - run.spent);
    run.startedAt = performance.now();
    run.until = run.startedAt + left + GRACE;
    thread.post(run, left);
  }

  /** A task is over its deadline. */
  private expired(run: Run, thread: Thread): void {
    const failure = { failure: 'deadline', reason: 'the deadline is over' } as const;
    if (thread.runs.length > 1 && thread.onCpu !== run) {
      if (this.suspicion.isSilent(thread)) {
        // Another one hangs, or nobody knows which: that is settled at one of the next looks.
        run.until = performance.now() + GRACE;
        return;
      }
      // The thread turns and this one does not come to its end: its thread is given up when the others are done.
      thread.forget(run);
      this.leaving.add(thread);
      this.replace(thread);
      run.settle(failure);
      return;
    }
    thread.forget(run);
    this.giveUp(thread);
    run.settle(failure);
    for (const other of [...thread.runs]) this.suspicion.move(other, thread);
  }

  /** Once more, in another thread. */
  private again(run: Run): void {
    this.enqueue(run);
    this.pump();
  }

  /** Ends a thread that is broken. */
  private giveUp(thread: Thread): void {
    void thread.end();
    this.leaving.delete(thread);
    this.replace(thread);
  }

  private replace(thread: Thread): void {
    if (!this.threads.delete(thread)) return;
    if (!this.ended) this.options.onRestart();
    this.refill();
  }

  /** A thread has ended by itself. */
  private lost(thread: Thread, loss: Loss): void {
    if (loss.kind === 'start') {
      this.startFailed(thread, loss.reason);
      return;
    }
    const runs = [...thread.runs];
    this.leaving.delete(thread);
    this.replace(thread);
    const [first] = runs;
    if (first === undefined) this.options.onIdleError(loss.reason);
    else if (runs.length === 1) {
      first.settle({ failure: loss.kind, reason: loss.reason });
    } else for (const run of runs) this.suspicion.suspect(run, thread);
  }

  private startFailed(thread: Thread, reason: string): void {
    this.threads.delete(thread);
    if (!this.starts.failed(reason)) this.options.onStartError(reason);
    this.options.onPlaces();
    this.pump();
  }

  /** A task has left the thread. */
  private freed(thread: Thread): void {
    if (thread.runs.length === 0) {
      thread.closedToNew = false;
      if (this.leaving.delete(thread)) void thread.end();
      else if (this.threads.size > this.wanted && this.busyFor(STUCK) === 0) this.remove(thread);
      else if (!thread.stepUp()) {
        this.remove(thread);
        this.refill();
      }
    }
    this.pump();
  }

  /** Gives up a thread that was started beyond the number. */
  private remove(thread: Thread): void {
    this.threads.delete(thread);
    void thread.end();
    this.options.onPlaces();
  }

  private look(): void {
    const now = performance.now();
    for (const thread of [...this.threads, ...this.leaving]) {
      for (const run of [...thread.runs]) if (run.until < now) this.expired(run, thread);
      if (thread.preparing) continue;
      this.suspicion.look(thread);
      if (this.timeOnTask(thread) > LONG) thread.stepBack();
    }
    if (this.threads.size < this.wanted && this.starts.may(this.pending)) this.refill();
    const stuck = this.busyFor(STUCK);
    const most = this.wanted + Math.min(stuck, this.wanted);
    const backlog = this.queue.length + this.aloneQueue.length + this.options.waiting();
    if (stuck > 0 && backlog > 0 && this.threads.size < most && this.starts.may(this.pending)) {
      this.addThread();
      this.options.onPlaces();
    }
    this.pump();
  }

  /** How many threads have worked on one task, and on nothing else, for longer than that and what its size explains. */
  private busyFor(milliseconds: number): number {
    let count = 0;
    for (const thread of this.threads)
      if (this.timeOnTask(thread) > milliseconds + (PER_MIB * thread.bytes) / 2 ** 20) count++;
    return count;
  }

  /** ms for which the thread has worked on one task without turning to another. */
  private timeOnTask(thread: Thread): number {
    const [run] = thread.runs;
    if (run === undefined) return 0;
    return this.options.capacity === 1 && thread.runs.length === 1 ? performance.now() - run.startedAt : thread.silence;
  }
}

/** Whether it is done soon in a thread that has something to do. */
function inRow(run: Run, thread: Thread): boolean {
  return thread.runs.length < ROW.tasks && thread.bytes + run.bytes <= ROW.bytes && thread.silence <= ROW.silence;
}

function leastBusy(threads: ReadonlySet<Thread>): Thread | undefined {
  let best: Thread | undefined;
  for (const thread of threads) {
    if (thread.ready && (best === undefined || thread.runs.length < best.runs.length)) best = thread;
  }
  return best;
}
