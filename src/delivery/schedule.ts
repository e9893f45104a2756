import { warningAt } from './delay.js';
import type { RetrySettings } from './settle.js';
import type { EntryFacts } from './spool-index.js';

/** Share of a delay by which it is shortened or lengthened at random, so that a crowd does not come back as one. */
const JITTER = 0.1;

/**
 * When the next attempt is due, ms from now.
 * @param delays ms; the last one repeats
 * @param attempts how many there were, at least one
 * @param random a number from 0 to 1
 */
export function retryDelay(delays: readonly number[], attempts: number, random: number = Math.random()): number {
  return jittered(delayAfter(delays, attempts), random);
}

/**
 * When an item whose hops are all away is looked at again. As it is tried as soon as one is back, nothing but its age can
 * ask for something: it rests for as long again as it has waited since it was last tried, so that a hundred thousand of
 * them leave the machine to new mail.
 * @returns ms since the epoch; undefined when it is time to tell somebody of it
 */
export function whileAway(
  { since, last, owesDelay }: Pick<EntryFacts, 'since' | 'last' | 'owesDelay'>,
  { delays, lifetime, warnAfter = 'off' }: RetrySettings,
  now: number,
  random: number = Math.random(),
): number | undefined {
  const telling = Math.min(since + lifetime, owesDelay ? warningAt(since, warnAfter) : Infinity);
  if (now >= telling) return undefined;
  const rest = Math.max(delayAfter(delays, 1), Math.min(now - last, delayAfter(delays, delays.length)));
  return Math.min(now + jittered(rest, random), telling);
}

/** @returns ms, without jitter */
function delayAfter(delays: readonly number[], attempts: number): number {
  return delays[Math.min(attempts, delays.length) - 1] ?? delays[0] ?? 60_000;
}

function jittered(delay: number, random: number): number {
  return Math.round(delay * (1 + JITTER * (2 * random - 1)));
}
