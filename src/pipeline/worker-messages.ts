import type { InspectorOptions } from './inspector.js';
import type { PulseMemory } from './pulse.js';
import type { Inspection, InspectInput } from './types.js';

/** What a thread is started with. */
export interface WorkerData extends InspectorOptions {
  readonly pulse: PulseMemory;
}

/** A message to inspect. Memory of `bytes` is shared, not copied. */
export interface WorkerTask {
  readonly input: InspectInput;
  readonly content: { readonly bytes: Uint8Array } | { readonly path: string };
  /** Bytes of the message. */
  readonly size: number;
}

/** A task on its way into a thread. */
export interface PostedTask extends WorkerTask {
  /** Unique among the tasks of the thread, from 1 on. */
  readonly id: number;
  /** ms for it. */
  readonly deadline: number;
}

/** What a thread says. */
export type WorkerAnswer =
  | { readonly kind: 'ready'; readonly systemId?: number | undefined }
  /** It could not be made ready, and is of no use. */
  | { readonly kind: 'unready'; readonly reason: string }
  | { readonly kind: 'inspected'; readonly id: number; readonly inspection: Inspection }
  | { readonly kind: 'failed'; readonly id: number; readonly reason: string };
