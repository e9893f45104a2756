import v8 from 'node:v8';
import { runInNewContext } from 'node:vm';
import { lookAgain } from './looks.js';

/** Bytes of messages that a thread may have left lying before it clears up among what is young: that costs a ms or two. */
const ENOUGH = 8 * 2 ** 20;
/** Size of a message behind which it clears up at once. */
const LARGE = 4 * 2 ** 20;

/** ms after which a thread's start is over. */
export const SETTLED = 30_000;
/** ms between looks whether it is to be cleared up, after that. */
const LOOK = 15_000;
/** Only the second time are pages given back that the first one has emptied. */
const TIMES = 2;
/** Share of one core that the whole process may take meanwhile: V8 clears up with a helper on each core, 20 ms of them all. */
const PROCESS_CALM = 0.4;
/** Bytes of heap up to which that is done at a stretch: half a ms for each MiB. V8 itself takes larger ones in small steps. */
const MAX_HEAP = 128 * 2 ** 20;

type Depth = 'minor' | 'major';

/**
 * Clears up behind large messages. Their bytes lie outside of the heap, where V8 notices them late: left to itself, a
 * thread holds two or three of them besides the one that it looks at. Only among what is young: everywhere, it would cost
 * an eighth of the rate at 300 KB and give back no more.
 */
export class Garbage {
  private young = 0;

  /** A message of that size is no longer needed. */
  left(size: number): void {
    this.young += size;
    if (size < LARGE && this.young < ENOUGH) return;
    this.young = 0;
    // Not in the same turn: what has called this may hold the message still.
    setImmediate(() => collect('minor')).unref();
  }
}

/**
 * Clears up in this thread when its start is over and there is little to do, for it and for the whole process: what was only
 * needed for the start, and code as it was before it was compiled. V8 leaves that lying for minutes, until some moment of load.
 * @param calm share of its time in which it may be busy for that: afterwards, its code is compiled anew in part
 * @returns for the end of the thread before that
 */
export function clearUpAfterStart(calm: number): { close(): Promise<void> } {
  let times = 0;
  const busy = busyMeter();
  const processBusy = processMeter();
  const looks = lookAgain({ first: SETTLED, every: LOOK }, () => {
    const [share, processShare] = [busy(), processBusy()];
    if (share >= calm || processShare >= PROCESS_CALM || v8.getHeapStatistics().used_heap_size > MAX_HEAP) return;
    collect('major');
    times++;
    if (times === TIMES) void looks.close();
  });
  return looks;
}

/** @returns tells the share of its time in which this thread was busy since it was last asked, or since now */
export function busyMeter(): () => number {
  let last = performance.eventLoopUtilization();
  return () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, last);
    last = now;
    return utilization;
  };
}

/** @returns tells how much of one core all threads of this process took since it was last asked, or since now: 2 are two cores */
function processMeter(): () => number {
  let [last, at] = [process.cpuUsage(), performance.now()];
  return () => {
    const [usage, now] = [process.cpuUsage(), performance.now()];
    const used = (usage.user - last.user + usage.system - last.system) / 1000;
    const share = used / (now - at);
    [last, at] = [usage, now];
    return share;
  };
}

let gc: unknown;

/**
 * Clears up in this thread, by V8's own function for it, which is there when a flag is set: also at run time, for contexts
 * that are made afterwards. Without a word it clears up everywhere. The V8 of Node 20 reads any word as "only what is
 * young", `{ type: 'major' }` too.
 */
export function collect(depth: Depth): void {
  if (gc === undefined) {
    v8.setFlagsFromString('--expose-gc');
    gc = runInNewContext('globalThis.gc');
  }
  if (typeof gc === 'function') Reflect.apply(gc, undefined, depth === 'major' ? [] : [{ type: depth }]);
}
