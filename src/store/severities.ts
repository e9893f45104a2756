import type { Severity } from '../events/types.js';

/** From the least to the most severe. */
export const SEVERITIES: readonly Severity[] = ['diagnostic', 'informative', 'warning', 'error', 'critical'];

export function isWorse(severity: Severity, than: Severity): boolean {
  return SEVERITIES.indexOf(severity) > SEVERITIES.indexOf(than);
}
