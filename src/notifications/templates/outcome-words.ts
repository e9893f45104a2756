import type { RuleNotificationContext } from '../types.js';
import { ENGLISH_WORDS, type Words } from './words.js';

/** `rejected`, or `rejected for a@example.org; delivered for b@example.org, c@example.org`. */
export function outcomeText(
  outcomes: NonNullable<RuleNotificationContext['outcomes']>,
  words: Words = ENGLISH_WORDS,
): string {
  const [first] = outcomes;
  if (first === undefined) return '';
  if (outcomes.length === 1) return words.say('actions', first.action);
  return outcomes
    .map(({ action, recipients }) =>
      words.say('actions', 'for', { action: words.say('actions', action), recipients: recipients.join(', ') }),
    )
    .join('; ');
}
