import type { Finding } from '../detectors/types.js';
import { SCORE_STATUS } from '../rules/findings.js';
import { SPAM_CLASSES, type SpamClass } from '../rules/spam.js';
import type { ModuleRun, RecipientOutcome } from './types.js';

/**
 * What people read: a spam score by its class. Rules have thresholds of their own, so that one message can have several;
 * for the message as a whole that is the strictest one that a deciding rule gave it.
 */
export function spamClassOfMessage(outcomes: readonly RecipientOutcome[]): SpamClass {
  const found = outcomes.map(({ decision }) => SPAM_CLASSES.indexOf(decision.spam ?? 'clean'));
  return SPAM_CLASSES[Math.max(0, ...found)] ?? 'clean';
}

/** The finding with the class in place of the status that leaves it open. */
export function withClass(finding: Finding, spam: SpamClass): Finding {
  return finding.module === 'antispam' && finding.status === SCORE_STATUS ? { ...finding, status: spam } : finding;
}

/** Likewise the run of the module. */
export function runWithClass(run: ModuleRun, spam: SpamClass): ModuleRun {
  return run.module === 'antispam' && run.status === SCORE_STATUS ? { ...run, status: spam } : run;
}

/** Status of a module for the reader of one copy: a spam score by the class that the copy's own rule gave it. */
export function statusForCopy(run: ModuleRun, spam: SpamClass | undefined): string {
  const isClass = run.module === 'antispam' && SPAM_CLASSES.some((one) => one === run.status);
  return isClass && spam !== undefined ? spam : run.status;
}
