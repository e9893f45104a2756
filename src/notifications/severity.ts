import type { Severity } from '../events/types.js';
import type { FiredResponse } from '../rules/types.js';
import { isWorse } from '../store/severities.js';
import type { NoticeClass } from './types.js';

/** What threatens the reader: as a key under `on`, or as the status of a finding. */
const THREATS: ReadonlySet<string> = new Set(['malware', 'infected', 'phishing', 'malicious-link', 'macro']);
const SERIOUS_NOTICES: ReadonlySet<NoticeClass> = new Set<NoticeClass>(['resource', 'software', 'double-bounce']);

/** Whether a mail of that severity is sent under `notifications.minSeverity`. */
export function isSevere(severity: Severity, least: Severity): boolean {
  return !isWorse(least, severity);
}

/** The most severe of some; `diagnostic` when there are none. */
export function mostSevere(severities: readonly Severity[]): Severity {
  return severities.reduce((most, each) => (isSevere(each, most) ? each : most), 'diagnostic');
}

/** Threats are errors, anomalies are informative, all else is a warning. */
export function severityOf({ key, findings }: Pick<FiredResponse, 'key' | 'findings'>): Severity {
  if (THREATS.has(key) || findings.some(({ status }) => THREATS.has(status))) return 'error';
  const onlyAnomalies = findings.length > 0 && findings.every(({ status }) => status === 'anomaly');
  return key === 'anomaly' || (onlyAnomalies && !key.startsWith('content.')) ? 'informative' : 'warning';
}

/** Of a notice to the admins. */
export function severityOfNotice(about: NoticeClass): Severity {
  return SERIOUS_NOTICES.has(about) ? 'error' : 'warning';
}
