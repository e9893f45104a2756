import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Bytes of messages that a thread may have left lying before it clears up among what is young: that costs a ms or two. */
const ENOUGH = 8 * 2 ** 20;
/** Bytes after which it clears up everywhere, which costs as much as looking at some dozen messages. */
const TOO_MUCH = 64 * 2 ** 20;
/** Size of a message behind which everything is cleared up at once. */
const LARGE = 4 * 2 ** 20;

type Depth = 'minor' | 'major';

/**
 * Clears up behind large messages. Their bytes lie outside of the heap, where V8 notices them late: left to itself, a
 * thread holds two or three of them besides the one that it looks at.
 */
export class Garbage {
  private readonly collect: ((depth: Depth) => void) | undefined = collector();
  private young = 0;
  private all = 0;

  /** A message of that size is no longer needed. */
  left(size: number): void {
    this.young += size;
    this.all += size;
    if (size >= LARGE || this.all >= TOO_MUCH) {
      this.all = 0;
      this.clear('major');
    } else if (this.young >= ENOUGH) this.clear('minor');
  }

  private clear(depth: Depth): void {
    this.young = 0;
    // Not in the same turn: what has called this may hold the message still.
    setImmediate(() => this.collect?.(depth)).unref();
  }
}

/** V8's own function for it, which is there when a flag is set: also at run time, for contexts that are made afterwards. */
function collector(): ((depth: Depth) => void) | undefined {
  setFlagsFromString('--expose-gc');
  const found: unknown = runInNewContext('gc');
  return typeof found === 'function' ? (type) => void Reflect.apply(found, undefined, [{ type }]) : undefined;
}
