import os from 'node:os';
import { memorySource } from '../../message/source.js';
import { createInspector, type InspectorOptions } from '../../pipeline/inspector.js';
import { createInspectPool, type InspectPool } from '../../pipeline/pool.js';
import type { Inspection, InspectInput } from '../../pipeline/types.js';
import type { Setup } from '../setup.js';

/** Inspects messages for the tools of rule authors: with the engines as configured; nothing is sent, stored or queued. */
export interface Inspecting {
  /** How many messages at a time keep it busy. */
  readonly width: number;
  inspect(input: InspectInput, bytes: Buffer): Promise<Inspection>;
  close(): Promise<void>;
}

/** Fewer messages than this are looked at sooner in this thread than others can be started. */
const FEW = 100;

/** @param messages about how many there are to be inspected */
export async function startInspecting(
  setup: Setup,
  messages: number,
  extra: Partial<InspectorOptions> = {},
): Promise<Inspecting> {
  const { config, bundle, specs } = setup;
  const options: InspectorOptions = { bundle, specs, limits: config.scan, deadline: config.scan.deadline, ...extra };
  if (messages < FEW) return await inThisThread(options);
  const threads = os.availableParallelism();
  const pool = createInspectPool({ ...options, threads });
  try {
    await pool.ready();
  } catch (error) {
    await pool.close();
    throw error;
  }
  return inThreads(pool, threads * (specs.some(({ waits }) => waits === true) ? 16 : 3));
}

async function inThisThread(options: InspectorOptions): Promise<Inspecting> {
  const inspector = await createInspector(options);
  const waits = options.specs.some((spec) => spec.waits === true);
  return {
    width: waits ? 16 : 1,
    inspect: async (input, bytes) => await inspector.inspect(input, bytes),
    close: async () => await inspector.close(),
  };
}

function inThreads(pool: InspectPool, width: number): Inspecting {
  return {
    width,
    inspect: async (input, bytes) => await pool.inspect(input, memorySource([bytes])),
    close: async () => await pool.close(),
  };
}
