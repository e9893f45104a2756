import type { Finding } from '../detectors/types.js';
import type { Selector } from './model.js';

/** Statuses of the modules that come with Gatepost, configured or not: what rules may name. */
export const KNOWN_MODULES: ReadonlyMap<string, readonly string[]> = new Map([
  ['antivirus', ['infected', 'encrypted', 'macro']],
  ['signatures', ['infected']],
  ['content', ['encrypted', 'macro']],
  ['links', ['phishing', 'malicious-link']],
  ['antispam', ['spam', 'probable-spam', 'bulk', 'phishing']],
  ['authentication', ['spf', 'dkim', 'dmarc', 'arc']],
  ['external', []],
  ['message', ['anomaly']],
]);

/** Statuses that every module can report: it failed, timed out, or gave up at a bound. */
export const ERROR_STATUSES = ['error', 'timeout', 'limit'] as const;

/** Results of SPF, DKIM and DMARC. */
export const RESULTS = ['pass', 'fail', 'softfail', 'neutral', 'none', 'permerror', 'temperror'] as const;
export const AUTHENTICATION_KEYS = ['spf', 'dkim', 'dmarc'] as const;
export const DMARC_POLICIES = ['policy-none', 'policy-quarantine', 'policy-reject'] as const;

/**
 * Status of a finding that carries a spam score and leaves the class to the thresholds of the rule. Its name is `bulk`
 * when the message bears the marks of mass mail. Any other status of the antispam module stands as it is.
 */
export const SCORE_STATUS = 'score';

type Pair = readonly [module: string, status: string];

const TABLE: readonly (readonly [key: string, pairs: readonly Pair[]])[] = [
  [
    'malware',
    [
      ['antivirus', 'infected'],
      ['signatures', 'infected'],
    ],
  ],
  [
    'encrypted',
    [
      ['content', 'encrypted'],
      ['antivirus', 'encrypted'],
    ],
  ],
  [
    'macro',
    [
      ['content', 'macro'],
      ['antivirus', 'macro'],
    ],
  ],
  [
    'phishing',
    [
      ['links', 'phishing'],
      ['antispam', 'phishing'],
    ],
  ],
  ['malicious-link', [['links', 'malicious-link']]],
  ['spam', [['antispam', 'spam']]],
  ['probable-spam', [['antispam', 'probable-spam']]],
  ['bulk', [['antispam', 'bulk']]],
  ['anomaly', [['message', 'anomaly']]],
  ['scan-error', ERROR_STATUSES.map((status): Pair => ['*', status])],
];

/** Keys under `on` that take findings by module and status. */
export const STATUS_KEYS: readonly string[] = TABLE.map(([key]) => key);

/** Which findings a key of `STATUS_KEYS` takes. */
export function pairsOf(key: string): { readonly module: string; readonly status: string }[] {
  return (TABLE.find(([name]) => name === key)?.[1] ?? []).map(([module, status]) => ({ module, status }));
}

/** Keys whose findings can name an object, so that `delete-attachment` has something to delete. */
export const KEYS_WITH_OBJECTS: ReadonlySet<string> = new Set([
  'malware',
  'encrypted',
  'macro',
  'phishing',
  'malicious-link',
  'anomaly',
  'scan-error',
]);

/** Modules whose findings are about the message and never name an object. */
export const MODULES_WITHOUT_OBJECTS: ReadonlySet<string> = new Set(['antispam', 'authentication']);

export function isError(finding: Finding): boolean {
  return (ERROR_STATUSES as readonly string[]).includes(finding.status);
}

/** Whether an entry of `on` takes the finding; content expressions are not decided here. */
export function takes(selector: Selector, finding: Finding): boolean {
  switch (selector.kind) {
    case 'status':
      return selector.pairs.some(
        (pair) => pair.status === finding.status && (pair.module === '*' || pair.module === finding.module),
      );
    case 'result':
      return (
        finding.module === 'authentication' &&
        finding.status === selector.status &&
        finding.name === selector.result &&
        (selector.policy === undefined || selector.policy === `policy-${finding.policy ?? 'none'}`)
      );
    case 'external':
      return isExternal(finding.module) && finding.status === selector.status;
    case 'content':
      return false;
  }
}

/** `external`, or a module that does not come with Gatepost. */
export function isExternal(module: string): boolean {
  return module === 'external' || !KNOWN_MODULES.has(module);
}

/** What `finding` in a content expression is compared with: `module.status`, the keys under `on`, the name. */
export function namesOf(finding: Finding): string[] {
  const names = [`${finding.module}.${finding.status}`];
  for (const [key, pairs] of TABLE) {
    if (pairs.some(([module, status]) => status === finding.status && (module === '*' || module === finding.module)))
      names.push(key);
  }
  if (finding.module === 'authentication') {
    names.push(finding.status);
    if (finding.name !== undefined) names.push(`${finding.status}.${finding.name}`);
  }
  if (isExternal(finding.module) && !isError(finding)) names.push('external', `external.${finding.status}`);
  if (finding.name !== undefined) names.push(finding.name);
  return names;
}
