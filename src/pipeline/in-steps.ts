import v8 from 'node:v8';
import { busyMeter } from './garbage.js';
import { lookAgain } from './looks.js';

/** Share of its time from which on a thread is busy. Below, V8 does well to make memory small. */
const BUSY = 0.01;
/** ms from one look to the next. */
const LOOK = 5_000;
/** ms from the start to the first clearing up, and from one to the next: V8 waits for 100 s. */
const PAUSE = 60_000;
/** Bytes outside of the heap that V8 lets come together before it clears up in steps on account of them. */
const V8_LIMIT = 64 * 2 ** 20;
/** Share of the largest heap from which on it does so at a stretch. */
const AT_A_STRETCH = 0.5;

/**
 * Has V8 clear up everywhere once a minute in this thread while it is busy, in small steps, as when the heap is full.
 *
 * Left alone, V8 makes memory small when it has not cleared up everywhere for 100 s, also under full load. It then gives up
 * the shapes of which no object lives at that moment, and with them all code that was compiled for them: for a second each
 * message takes ten times as long, which of a minute or two is half of the 99th percentile. Clearing up in the other way
 * leaves shapes alone. V8 begins with that by itself when much memory outside of the heap is taken: some that nobody touches
 * will do, and costs nothing.
 * @param times ms from the start to the first look, from one look to the next, and from one clearing up to the next
 */
export function clearUpInSteps({ first, every, pause } = { first: PAUSE, every: LOOK, pause: PAUSE }): {
  close(): Promise<void>;
} {
  const busy = busyMeter();
  const bytes = V8_LIMIT + 1;
  let last = -Infinity;

  return lookAgain({ first, every }, () => {
    const now = performance.now();
    if (busy() < BUSY || now - last < pause) return;
    if (bytes >= v8.getHeapStatistics().heap_size_limit * AT_A_STRETCH) return;
    last = now;
    try {
      Buffer.allocUnsafeSlow(bytes);
    } catch {
      // The system gives out no more memory than it has: then V8 goes on as if left alone.
    }
  });
}
