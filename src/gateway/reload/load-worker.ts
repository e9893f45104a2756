import { parentPort } from 'node:worker_threads';
import { judge, type Before } from './judge.js';

/** What the thread is asked to load. */
export interface LoadOrder {
  readonly file?: string;
  readonly cwd: string;
  readonly before: Before;
}

/** A thread that reads and checks a set for each order, one after the other, and says what came of it. */
parentPort?.on('message', (order: LoadOrder) => {
  void judge(order.file, order.cwd, order.before).then((judgement) => parentPort?.postMessage(judgement));
});
