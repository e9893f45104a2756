import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';

/** Behind everything that does its ordinary work, in the scale of nice(1). */
const BEHIND = 15;

/**
 * Number by which the system knows the calling thread, where threads have priorities of their own (Linux); undefined
 * elsewhere.
 */
export function systemThreadId(): number | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    return Number(/\/task\/(\d+)$/.exec(readlinkSync('/proc/thread-self'))?.[1]) || undefined;
  } catch {
    // Without /proc there are no priorities, and all else works.
    return undefined;
  }
}

/** Lets all other threads go before this one. @returns whether that was possible */
export function stepBack(id: number): boolean {
  return changed(id, BEHIND);
}

/** Undoes it, which the system allows the superuser alone. @returns whether it did */
export function stepUp(id: number): boolean {
  return changed(id, 0);
}

function changed(id: number, priority: number): boolean {
  try {
    setPriority(id, priority);
    return true;
  } catch {
    // The thread has ended, or may not.
    return false;
  }
}
