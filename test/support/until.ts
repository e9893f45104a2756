import { setTimeout as delay } from 'node:timers/promises';

/** Asks again and again until the answer is there, or throws with the last reason when patience is over: long, as the machine may be busy. */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined | false>,
  patience = 120_000,
): Promise<T> {
  const end = Date.now() + patience;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > end) throw new Error(`waited ${patience} ms in vain for ${what}`);
    await delay(50);
  }
}
