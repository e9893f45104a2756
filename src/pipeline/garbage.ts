import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Bytes of messages that a thread may have left lying before it clears up. */
const ENOUGH = 8 * 2 ** 20;

/**
 * Clears up behind large messages. Their bytes lie outside of the heap, where V8 notices them late: left to itself, a
 * thread holds two or three of them besides the one that it looks at.
 */
export class Garbage {
  private readonly collect: (() => void) | undefined = collector();
  private bytes = 0;

  /** A message of that size is no longer needed. */
  left(size: number): void {
    this.bytes += size;
    if (this.bytes < ENOUGH) return;
    this.bytes = 0;
    // Not in the same turn: what has called this may hold the message still.
    setImmediate(() => this.collect?.()).unref();
  }
}

/** V8's own function for it, which is there when a flag is set: also at run time, for contexts that are made afterwards. */
function collector(): (() => void) | undefined {
  setFlagsFromString('--expose-gc');
  const found: unknown = runInNewContext('gc');
  return typeof found === 'function' ? () => void Reflect.apply(found, undefined, []) : undefined;
}
