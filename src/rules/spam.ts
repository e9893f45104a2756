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

function spamClass(score: number, bulk: boolean, thresholds: Required<SpamThresholds>): string {
  if (score >= thresholds.spam) return 'spam';
  if (score >= thresholds.probableSpam) return 'probable-spam';
  return bulk && score >= thresholds.bulk ? 'bulk' : 'clean';
}
