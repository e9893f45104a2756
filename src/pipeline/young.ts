import v8 from 'node:v8';
import { resourceLimits } from 'node:worker_threads';
import { busyMeter, SETTLED } from './garbage.js';
import { lookAgain } from './looks.js';

/** MiB that V8 takes for what is young where memory is not scarce; a thread's own limit is in its place. */
const V8_LIMIT = 48;
/** It counts three halves: the third is for what is large. */
const HALVES = 2 / 3;
/** ms from one look to the next. */
const LOOK = 5_000;
/** ms in which several collections come in a thread under load: they find what is held, and V8 sees it survive. */
const HOLD = 500;
/** Characters of a text that is held: larger ones may have a place of their own. */
const PIECE = 64 * 2 ** 10;
/** Looks without a further try after one in vain: there is no more, or there were too few collections to see it. */
const REST = 60;
/** What V8 multiplies the room by: from the least to the most in one or two steps. */
const FACTOR = 8;

/**
 * Keeps as much room for what is young in this thread's heap as it may have, while it is busy. V8 takes most of it back when
 * there is little to do, and when it makes memory small (`in-steps.ts`). It gives it again only for what survives, and next
 * to nothing of a message does: left alone, a thread that has once rested clears up two to four times as often for the rest
 * of its life.
 *
 * A thread that is not busy stays as V8 has made it: that is less memory. So does the start, which makes room by itself.
 * @param busy share of its time from which on a thread is busy
 * @param times ms from the start to the first look, and from one look to the next
 */
export function keepYoungRoom(
  busy: number,
  { first, every } = { first: SETTLED, every: LOOK },
): { close(): Promise<void> } {
  const most = (resourceLimits.maxYoungGenerationSizeMb ?? V8_LIMIT) * HALVES * 2 ** 20;
  const busyNow = busyMeter();
  /** The room at the last look, if more was asked for then. */
  let asked: number | undefined;
  let rest = 0;

  return lookAgain({ first, every }, () => {
    const share = busyNow();
    const room = youngRoom();
    const before = asked;
    asked = undefined;
    if (share < busy || room >= most) return;
    if (room === before) rest = REST;
    if (rest > 0) {
      rest--;
      return;
    }
    v8.setFlagsFromString(`--semi-space-growth-factor=${FACTOR}`);
    hold(room / 2);
    asked = room;
  });
}

/** Bytes of the heap that are set aside for what is young: both halves, of which one is in use. */
export function youngRoom(): number {
  return v8.getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')?.space_size ?? 0;
}

/** Holds a little more than that many bytes of young texts for a while. */
function hold(bytes: number): void {
  const piece = Buffer.alloc(PIECE);
  const pieces = Array.from({ length: Math.floor(bytes / PIECE) + 2 }, () => piece.toString('latin1'));
  setTimeout(() => pieces.splice(0), HOLD).unref();
}
