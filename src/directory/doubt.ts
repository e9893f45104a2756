import type { GroupReading } from './types.js';

/** Groups smaller than this may lose anyone at once. */
const SMALL = 20;

/**
 * Whether a reading says so much less than the copy that it may be the work of a server that is half there: all members
 * are gone, or more than half of a group that is not small. Such a reading is taken when the next one says the same.
 */
export function isDoubtful(before: GroupReading | undefined, now: GroupReading): boolean {
  const had = before?.addresses.length ?? 0;
  const has = now.addresses.length;
  if (had === 0) return false;
  return has === 0 || (had >= SMALL && has < had / 2);
}

/** Whether two readings have the same addresses. */
export function sameAddresses(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((address, i) => address === b[i]);
}
