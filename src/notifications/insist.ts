import { setTimeout as sleep } from 'node:timers/promises';

const PAUSE = 500;
/** What is usual, ms: an outage that lasts longer is met by the next run of the job. */
export const INSIST = 120_000;

/**
 * Does it again until it works: what a server has taken is written down by who knows it, and not left to another who would
 * have to send it again.
 * @param patience ms; 0: once
 * @throws what the last try threw
 */
export async function insist(work: () => Promise<void>, patience: number): Promise<void> {
  const end = performance.now() + patience;
  for (;;) {
    try {
      await work();
      return;
    } catch (error) {
      if (performance.now() >= end) throw error;
      await sleep(PAUSE, undefined, { ref: false });
    }
  }
}
