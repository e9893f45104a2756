import { parentPort, workerData } from 'node:worker_threads';
import { readDirectory } from './read.js';
import type { ReadTask } from './thread.js';

/** The thread of one reading: it says what it read, and ends. */
const { settings, names } = workerData as ReadTask;
parentPort?.postMessage(await readDirectory(settings, names));
