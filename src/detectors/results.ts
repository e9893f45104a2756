import { DetectorError } from './failure.js';
import { checkResults } from './method-results.js';
import type { DetectorSpec, Finding } from './types.js';

/** More findings of one module about one message than anyone can act on. */
export const MAX_FINDINGS = 1000;
const MAX_NAME = 256;
const MAX_DETAIL = 512;
const MAX_OBJECT = 64 * 1024;

/** Statuses that every module may report. */
const COMMON: ReadonlySet<string> = new Set(['clean', 'error', 'timeout', 'limit']);

/**
 * Checks what a detector returned, since it may be a third party's or repeat what an engine said: findings bear the
 * module's own name and declared statuses, and texts are short and without control characters.
 * @throws DetectorError when it is no list of findings
 */
export function checkFindings(returned: unknown, spec: DetectorSpec): readonly Finding[] {
  if (!Array.isArray(returned)) throw new DetectorError('the module answered with something other than findings');
  const findings = returned.slice(0, MAX_FINDINGS).map((item: unknown) => checkFinding(item, spec));
  if (returned.length > MAX_FINDINGS) {
    const detail = `the module reported ${returned.length} findings; those after the first ${MAX_FINDINGS} are left out`;
    findings.push({ module: spec.name, status: 'limit', detail });
  }
  return findings;
}

function checkFinding(item: unknown, spec: DetectorSpec): Finding {
  if (typeof item !== 'object' || item === null) throw new DetectorError('the module answered with a broken finding');
  const { status, name, object, size, score, detail, policy, results, hold } = item as Partial<
    Record<keyof Finding, unknown>
  >;
  if (typeof status !== 'string' || !(COMMON.has(status) || spec.statuses.includes(status)))
    throw new DetectorError('the module answered with a status that it does not declare');
  return {
    module: spec.name,
    status,
    ...(typeof name === 'string' ? { name: clean(name, MAX_NAME) } : {}),
    // Paths of objects are printable and shorter, so that theirs stay as they are and name the same object.
    ...(typeof object === 'string' ? { object: clean(object, MAX_OBJECT) } : {}),
    ...(typeof size === 'number' && size >= 0 ? { size } : {}),
    ...(typeof score === 'number' && Number.isFinite(score) ? { score } : {}),
    ...(typeof detail === 'string' ? { detail: clean(detail, MAX_DETAIL) } : {}),
    ...(typeof policy === 'string' ? { policy: clean(policy, MAX_NAME) } : {}),
    ...(results === undefined ? {} : { results: checkResults(results) }),
    ...(status === 'timeout' && hold === true ? { hold } : {}),
  };
}

function clean(text: string, length: number): string {
  return text.slice(0, length).replace(/[\p{Cc}\p{Cs}\u2028\u2029]+/gu, ' ');
}

/** Results of authentication that speak against nobody. */
const HARMLESS: ReadonlySet<string | undefined> = new Set(['pass', 'none', 'neutral']);

/** The status that tells most of a module's findings: a hit, else a failure, else `clean`. */
export function tellingStatus(findings: readonly Finding[]): string {
  let failure: string | undefined;
  for (const { module, status, name } of findings) {
    if (module === 'authentication' && HARMLESS.has(name)) continue;
    if (!COMMON.has(status)) return status;
    if (status !== 'clean') failure ??= status;
  }
  return failure ?? 'clean';
}
