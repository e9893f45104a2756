import type { Inspection } from './types.js';
import type { WorkerTask } from './worker-messages.js';

export type ThreadFailure =
  /** Over its deadline: the thread was ended. */
  | 'deadline'
  /** Out of memory: the thread has ended. */
  | 'memory'
  /** The thread has ended by itself: an exception outside of the inspection, or `process.exit`. */
  | 'crash'
  /** The inspection failed, the thread lives. */
  | 'error'
  /** There is no thread, and none can be started. */
  | 'start';

export type ThreadResult =
  { readonly inspection: Inspection } | { readonly failure: ThreadFailure; readonly reason: string };

/** A task on its way through the threads. */
export interface Run {
  readonly task: WorkerTask;
  /** ms in threads, in all. */
  readonly deadline: number;
  /** Bytes of the message that a thread holds for it. */
  readonly bytes: number;
  readonly settle: (result: ThreadResult) => void;
  /** Number in its present thread. */
  id: number;
  /** It is suspected of having broken a thread: no other task shares its thread. */
  alone: boolean;
  /** How often it has lost its thread by what another task may have done. */
  moves: number;
  /** ms that it has spent in threads that it lost. */
  spent: number;
  /** On the clock of `performance.now()`. */
  startedAt: number;
  /** When it is over its deadline, on that clock; while it waits for a thread, never. It is looked at: timers cost more. */
  until: number;
}
