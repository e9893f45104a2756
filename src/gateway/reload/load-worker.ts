import { parentPort, workerData } from 'node:worker_threads';
import { judge, type Before } from './judge.js';

/** What the thread is started with. */
export interface LoadOrder {
  readonly file?: string;
  readonly cwd: string;
  readonly before: Before;
}

/** A thread for one load: it reads and checks a set, says what came of it, and ends. */
const order = workerData as LoadOrder;
parentPort?.postMessage(await judge(order.file, order.cwd, order.before));
