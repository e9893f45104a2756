import { readFile } from 'node:fs/promises';
import { workerData } from 'node:worker_threads';
import { internalReason } from '../detectors/failure.js';
import { createInspector, type InspectorOptions } from './inspector.js';
import type { Inspection, InspectInput } from './types.js';

/** What the pool asks of a thread. Memory of `bytes` is shared, not copied. */
export type WorkerTask =
  | { readonly kind: 'ready' }
  | { readonly kind: 'inspect'; readonly input: InspectInput; readonly bytes: Uint8Array }
  | { readonly kind: 'inspect'; readonly input: InspectInput; readonly path: string };

/** A rejection would look the same as the end of the thread, so a failure is a value. */
export type WorkerAnswer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'inspected'; readonly inspection: Inspection }
  | { readonly kind: 'failed'; readonly reason: string };

const inspector = createInspector(workerData as InspectorOptions);
// Each task awaits it and reports the failure; without any task it is no reason to end the thread.
inspector.catch(() => undefined);

/** Runs one task. Loaded by the thread pool, which gives a thread one task at a time. */
export default async function run(task: WorkerTask): Promise<WorkerAnswer> {
  try {
    const ready = await inspector;
    if (task.kind === 'ready') return { kind: 'ready' };
    const bytes = 'path' in task ? await readFile(task.path) : asBuffer(task.bytes);
    return { kind: 'inspected', inspection: compact(await ready.inspect(task.input, bytes)) };
  } catch (error) {
    return { kind: 'failed', reason: internalReason(error) };
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Handing over a view copies all of the memory behind it: small buffers would bring Node's whole pool along. */
function compact(inspection: Inspection): Inspection {
  if (inspection.copies.every((copy) => copy.edits.length === 0)) return inspection;
  return {
    ...inspection,
    copies: inspection.copies.map((copy) => ({
      ...copy,
      edits: copy.edits.map((edit) => ({ ...edit, insert: new Uint8Array(edit.insert) })),
    })),
  };
}
