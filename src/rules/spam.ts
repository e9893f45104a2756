import type { Finding } from '../detectors/types.js';
import { SCORE_STATUS } from './findings.js';
import type { SpamThresholds } from './model.js';

/**
 * Gives a score the class that the thresholds say; a finding that already has a class, and any other, stays as it is.
 * A score that reaches none of them is `clean`.
 */
export function classify(finding: Finding, thresholds: Required<SpamThresholds>): Finding {
  const { module, status, score, name } = finding;
  if (module !== 'antispam' || status !== SCORE_STATUS || score === undefined) return finding;
  return { ...finding, status: spamClass(score, name === 'bulk', thresholds) };
}

/** The class that the thresholds give the message, from the strictest to the mildest, or `clean`. */
export type SpamClass = 'spam' | 'probable-spam' | 'bulk' | 'clean';

/** The classes that a score can have, from the mildest to the strictest. */
export const SPAM_CLASSES: readonly SpamClass[] = ['clean', 'bulk', 'probable-spam', 'spam'];

/** The class of the message's spam score; undefined when no module gave one. */
export function spamClassOf(
  findings: readonly Finding[],
  thresholds: Required<SpamThresholds>,
): SpamClass | undefined {
  for (const { module, status, score, name } of findings) {
    if (module === 'antispam' && status === SCORE_STATUS && score !== undefined)
      return spamClass(score, name === 'bulk', thresholds);
  }
  return undefined;
}

function spamClass(score: number, bulk: boolean, thresholds: Required<SpamThresholds>): SpamClass {
  if (score >= thresholds.spam) return 'spam';
  if (score >= thresholds.probableSpam) return 'probable-spam';
  return bulk && score >= thresholds.bulk ? 'bulk' : 'clean';
}
