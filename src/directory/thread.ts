import { Worker } from 'node:worker_threads';
import { moduleUrl } from '../config/modules.js';
import type { DirectorySettings } from '../config/schema-directory.js';
import type { DirectoryReading } from './read.js';

/** What the thread is started with. */
export interface ReadTask {
  readonly settings: DirectorySettings;
  readonly names?: readonly string[];
}

/** MiB of JavaScript heap: room for a million members. */
const HEAP = 1024;
/** ms for one reading of all groups. */
const DEADLINE = 15 * 60_000;

export interface ThreadLimits {
  readonly workerFile?: URL;
  readonly deadline?: number;
  readonly signal?: AbortSignal;
}

/**
 * Reads the directory in a thread of its own: what a server sends is taken apart there, so that nothing it sends can
 * hold up, fill or end the process that takes mail. Never rejects.
 */
export async function readInThread(task: ReadTask, limits: ThreadLimits = {}): Promise<DirectoryReading> {
  const { workerFile = moduleUrl('directory/worker'), deadline = DEADLINE, signal } = limits;
  const worker = new Worker(workerFile, { workerData: task, resourceLimits: { maxOldGenerationSizeMb: HEAP } });
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<DirectoryReading>((resolve) => {
      const fail = (reason: string): void => resolve({ kind: 'failed', failure: 'unreachable', reason });
      timer = setTimeout(() => fail(`not all groups were read in ${deadline / 1000} s`), deadline);
      signal?.addEventListener('abort', () => fail('stopped'), { once: true });
      if (signal?.aborted === true) fail('stopped');
      worker.once('message', (reading: DirectoryReading) => resolve(reading));
      worker.once('error', (error) => fail(`the answer of the server cannot be read (${error.name})`));
      worker.once('exit', () => fail('the reading ended without a result'));
    });
  } finally {
    clearTimeout(timer);
    await worker.terminate();
  }
}
