/** Share of a delay by which it is shortened or lengthened at random, so that a crowd does not come back as one. */
const JITTER = 0.1;

/**
 * When the next attempt is due, ms from now.
 * @param delays ms; the last one repeats
 * @param attempts how many there were, at least one
 * @param random a number from 0 to 1
 */
export function retryDelay(delays: readonly number[], attempts: number, random: number = Math.random()): number {
  const delay = delays[Math.min(attempts, delays.length) - 1] ?? delays[0] ?? 60_000;
  return Math.round(delay * (1 + JITTER * (2 * random - 1)));
}
