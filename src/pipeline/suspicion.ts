import type { Run } from './run.js';
import type { Thread } from './thread.js';

/** ms without a sign of life after which those that only share the thread are done elsewhere. */
const SILENT = 250;
/** ms after which a thread is ended when nobody knows which of its tasks hangs. */
const GIVE_UP = 1_000;
/** ms that a task must have been alone in a thread that turns, until others may join it. */
const CLEARED = 500;
/** Threads that a task may lose until it is alone for good. */
const MAX_MOVES = 3;
/** Threads that a task may lose at all. */
const MAX_LOSSES = 6;

export interface SuspicionActions {
  /** Does the task once more. */
  again(run: Run): void;
  /** Ends the thread. */
  drop(thread: Thread): void;
}

/**
 * Tells the task that hangs a thread from those that share it. Where the thread has marked whose code it runs, that
 * one stays in it until its deadline and the others move. Where it has not (a module's code after a wait of its own),
 * the thread is ended and each of its tasks is done again alone: whichever hangs then is the culprit.
 */
export class Suspicion {
  private readonly actions: SuspicionActions;

  constructor(actions: SuspicionActions) {
    this.actions = actions;
  }

  isSilent(thread: Thread): boolean {
    return thread.silence > SILENT;
  }

  /** Looks at a thread; to be called several times a second. */
  look(thread: Thread): void {
    const size = thread.runs.length;
    if (size === 0) return;
    const { silence } = thread;
    if (thread.closedToNew && silence < SILENT) this.clear(thread);
    if (size < 2 || silence <= SILENT) return;
    const culprit = thread.onCpu;
    const runs = [...thread.runs];
    if (culprit !== undefined) {
      thread.closedToNew = true;
      for (const run of runs) if (run !== culprit) this.move(run, thread);
    } else if (silence > GIVE_UP) {
      // First, or what is done again could be sent into it.
      this.actions.drop(thread);
      for (const run of runs) this.suspect(run, thread);
    }
  }

  /** Takes a task out of a thread that another one has broken. */
  move(run: Run, from: Thread): void {
    from.forget(run);
    run.until = Infinity;
    run.spent += performance.now() - run.startedAt;
    run.moves++;
    if (run.moves >= MAX_MOVES) run.alone = true;
    if (run.moves > MAX_LOSSES) run.settle({ failure: 'crash', reason: 'its thread was lost again and again' });
    else this.actions.again(run);
  }

  /** Takes a task out of a thread that it may have broken itself. */
  suspect(run: Run, from: Thread): void {
    run.alone = true;
    this.move(run, from);
  }

  /** A task that lets its thread turn for a while needs no thread of its own, unless that has gone wrong before. */
  private clear(thread: Thread): void {
    const now = performance.now();
    for (const { startedAt, moves } of thread.runs) {
      if (now - startedAt < CLEARED || moves >= MAX_MOVES) return;
    }
    thread.closedToNew = false;
  }
}
