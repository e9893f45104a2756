import type { DetectorSpec } from '../detectors/types.js';
import type { JudgedBy } from './inspector.js';
import type { PulseMemory } from './pulse.js';
import type { Inspection, InspectInput } from './types.js';

/** What messages are judged by, each under the number that tasks name; never empty. */
export type Sets = ReadonlyMap<number, JudgedBy>;

/** What a thread is started with. */
export interface WorkerData {
  readonly specs: readonly DetectorSpec[];
  readonly sets: Sets;
  readonly pulse: PulseMemory;
}

/** A message to inspect. Memory of `bytes` is shared, not copied. */
export interface WorkerTask {
  readonly input: InspectInput;
  /** Number of the set that it is judged by. */
  readonly set: number;
  readonly content: { readonly bytes: Uint8Array } | { readonly path: string };
  /** Bytes of the message. */
  readonly size: number;
}

/** A task on its way into a thread. */
export interface PostedTask {
  readonly task: WorkerTask;
  /** Unique among the tasks of the thread, from 1 on. */
  readonly id: number;
  /** ms for it. */
  readonly deadline: number;
}

/** What a thread is told. */
export type WorkerOrder =
  | ({ readonly kind: 'inspect' } & PostedTask)
  /** Another set will be named by tasks to come. */
  | { readonly kind: 'add'; readonly set: number; readonly judgedBy: JudgedBy }
  /** No task will name it any more. */
  | { readonly kind: 'drop'; readonly set: number };

/** What a thread says. */
export type WorkerAnswer =
  | { readonly kind: 'ready'; readonly systemId?: number | undefined }
  /** It could not be made ready, and is of no use. */
  | { readonly kind: 'unready'; readonly reason: string }
  | { readonly kind: 'added'; readonly set: number; readonly failure?: string }
  | { readonly kind: 'inspected'; readonly id: number; readonly inspection: Inspection }
  | { readonly kind: 'failed'; readonly id: number; readonly reason: string };
