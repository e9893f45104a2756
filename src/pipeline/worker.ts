import { parentPort, workerData } from 'node:worker_threads';
import { internalReason } from '../detectors/failure.js';
import { readWhole } from '../message/source.js';
import { clearUpAfterStart, Garbage } from './garbage.js';
import { clearUpInSteps } from './in-steps.js';
import { createInspector, type Inspector, type JudgedBy, type Watched } from './inspector.js';
import { systemThreadId } from './priority.js';
import { PulseWriter } from './pulse.js';
import type { Inspection } from './types.js';
import type { PostedTask, WorkerAnswer, WorkerData, WorkerOrder, WorkerTask } from './worker-messages.js';
import { keepYoungRoom } from './young.js';

/** Share of its time in which a thread is busy while there is little to do. */
const CALM = 0.1;
/** Share from which on it has much to do. */
const BUSY = 0.15;

/** A thread of the pool: inspects what it is sent, several messages at a time if it is sent several. */
const data = workerData as WorkerData;
const pulse = new PulseWriter(data.pulse);

function say(answer: WorkerAnswer): void {
  parentPort?.postMessage(answer);
}

const inspectors = new Map<number, Inspector>();
const garbage = new Garbage();

async function run({ task, id, deadline }: PostedTask): Promise<void> {
  const { size, set } = task;
  const mark = pulse.markFor(id);
  pulse.enter();
  try {
    const inspector = inspectors.get(set);
    if (inspector === undefined) throw new Error(`the thread has no set ${set}`);
    say({ kind: 'inspected', id, inspection: compact(await inspectTask(inspector, task, { deadline, mark })) });
  } catch (error) {
    say({ kind: 'failed', id, reason: internalReason(error) });
  } finally {
    mark.end();
    pulse.leave();
    garbage.left(size);
  }
}

/** On its own, so that nothing of the message is held any more when it has returned. */
async function inspectTask(
  inspector: Inspector,
  { input, content, size }: WorkerTask,
  watched: Watched,
): Promise<Inspection> {
  const bytes = 'path' in content ? await readWhole(content.path, size) : asBuffer(content.bytes);
  return await inspector.inspect(input, bytes, watched);
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

/** Takes a further set, with the detectors that there are. */
async function add(set: number, first: Inspector, judgedBy: JudgedBy): Promise<void> {
  try {
    inspectors.set(set, await first.judgingBy(judgedBy));
    say({ kind: 'added', set });
  } catch (error) {
    say({ kind: 'added', set, failure: internalReason(error) });
  }
}

async function start(): Promise<Inspector> {
  const [[number, judgedBy] = [], ...others] = data.sets;
  if (number === undefined || judgedBy === undefined) throw new Error('a thread needs a set to judge by');
  const first = await createInspector({ ...judgedBy, specs: data.specs });
  inspectors.set(number, first);
  for (const [set, other] of others) inspectors.set(set, await first.judgingBy(other));
  return first;
}

try {
  const first = await start();
  clearUpAfterStart(CALM);
  keepYoungRoom(BUSY);
  clearUpInSteps();
  parentPort?.on('message', (order: WorkerOrder) => {
    switch (order.kind) {
      case 'inspect':
        void run(order);
        return;
      case 'add':
        void add(order.set, first, order.judgedBy);
        return;
      case 'drop':
        inspectors.delete(order.set);
    }
  });
  say({ kind: 'ready', systemId: systemThreadId() });
} catch (error) {
  say({ kind: 'unready', reason: internalReason(error) });
}
