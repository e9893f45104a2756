import type { RuleNotificationContext } from '../types.js';
import { ENGLISH_WORDS, type Words } from './words.js';

/** Recipients of one action that are named; the mail lists all of them elsewhere. */
const MAX_NAMED = 5;

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
      words.say('actions', 'for', { action: words.say('actions', action), recipients: named(recipients, words) }),
    )
    .join('; ');
}

function named(recipients: readonly string[], words: Words): string {
  const rest = recipients.length - MAX_NAMED;
  const more = rest > 0 ? [words.say('message', 'more', { count: String(rest) })] : [];
  return [...recipients.slice(0, MAX_NAMED), ...more].join(', ');
}
