import { readFile } from 'node:fs/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { internalReason } from '../detectors/failure.js';
import { createInspector, type Inspector } from './inspector.js';
import { systemThreadId } from './priority.js';
import { PulseWriter } from './pulse.js';
import type { Inspection } from './types.js';
import type { PostedTask, WorkerAnswer, WorkerData } from './worker-messages.js';

/** A thread of the pool: inspects what it is sent, several messages at a time if it is sent several. */
const data = workerData as WorkerData;
const pulse = new PulseWriter(data.pulse);

function say(answer: WorkerAnswer): void {
  parentPort?.postMessage(answer);
}

async function run(task: PostedTask, inspector: Inspector): Promise<void> {
  const { id, input, content, deadline } = task;
  const mark = pulse.markFor(id);
  pulse.enter();
  try {
    const bytes = 'path' in content ? await readFile(content.path) : asBuffer(content.bytes);
    const inspection = await inspector.inspect(input, bytes, { deadline, mark });
    say({ kind: 'inspected', id, inspection: compact(inspection) });
  } catch (error) {
    say({ kind: 'failed', id, reason: internalReason(error) });
  } finally {
    mark.end();
    pulse.leave();
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

try {
  const inspector = await createInspector(data);
  parentPort?.on('message', (task: PostedTask) => void run(task, inspector));
  say({ kind: 'ready', systemId: systemThreadId() });
} catch (error) {
  say({ kind: 'unready', reason: internalReason(error) });
}
