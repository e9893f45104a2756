import type { Opinion } from './bayes.js';
import type { Sign } from './sign.js';

/** Points of odds of 10 to 1; odds of 100 to 1 count twice as much, and so on. */
const POINTS = 1.25;
const MOST = 6;
/** Honest advertising has the words of spam; where it says what it is, that makes it bulk and no more. */
const MOST_OF_MASS_MAIL = 4;
/** What words may do against the signs of spam: little, since anyone can write innocent words. */
const LEAST = -2;

/**
 * What the words of a message count.
 * @param massMail the message bears marks of mass mail
 */
export function wordSign({ probability }: Opinion, massMail: boolean): Sign {
  const odds = Math.log10(Math.max(1e-9, probability) / Math.max(1e-9, 1 - probability));
  const points = Math.round(Math.min(massMail ? MOST_OF_MASS_MAIL : MOST, Math.max(LEAST, odds * POINTS)) * 100) / 100;
  const name = points >= 0.5 ? 'words-of-spam' : points <= -0.5 ? 'words-of-mail' : 'words-undecided';
  return { name, points };
}
