import { parentPort } from 'node:worker_threads';
import { judge, type LoadOrder } from './judge.js';

/** A thread that reads and checks a set for each order, one after the other, and says what came of it. */
parentPort?.on('message', (order: LoadOrder) => {
  void judge(order).then((judgement) => parentPort?.postMessage(judgement));
});
