import type { Problem } from '../config/problems.js';
import { DEFAULT_ID } from './default-rule.js';
import { pathOfEntry } from './entry-path.js';
import { isExternal, KNOWN_MODULES } from './findings.js';
import { withoutEffect } from './lint-effects.js';
import { within, type LintOptions, type PlacedRule } from './placed.js';
import type { OnEntry } from './model.js';
import type { Group } from './types.js';

/** Warnings about what a rule does: responses that never fire, groups that nobody is in. */
export function lintResponses(placed: PlacedRule, options: LintOptions): Problem[] {
  const { rule, source } = placed;
  if (rule.process !== 'scan')
    return rule.on.length === 0
      ? []
      : [
          source.warning(
            within(placed, 'on'),
            `nothing under \`on\` can fire: \`process: ${rule.process}\` does not scan`,
            undefined,
            'key',
          ),
        ];
  return [
    ...unknownFindings(placed, options),
    ...withoutEffect(placed),
    ...lintNotify(placed, options),
    ...modulesNotConfigured(placed, options),
  ];
}

/**
 * Responses to findings that no configured module reports. The shipped rules are written for every site, whatever modules
 * it has: for them the banner of `gatepost start` says what is not protected.
 */
function unknownFindings(placed: PlacedRule, { modules, shipped }: LintOptions): Problem[] {
  if (shipped || placed.rule.id === DEFAULT_ID) return [];
  const problems: Problem[] = [];
  for (const entry of placed.rule.on) {
    const modulesNeeded = missingModules(entry, modules);
    if (modulesNeeded === undefined) continue;
    problems.push(
      placed.source.warning(
        within(placed, ...pathOfEntry(placed.rule, entry)),
        `\`${entry.key}\` can never fire: no configured module reports it`,
        modulesNeeded.length > 0 ? `name ${modulesNeeded.join(' or ')} under \`detectors\` in gatepost.yaml` : undefined,
        'key',
      ),
    );
  }
  return problems;
}

/** Modules of which one would have to be configured; undefined when one is. */
function missingModules({ selector }: OnEntry, modules: LintOptions['modules']): readonly string[] | undefined {
  switch (selector.kind) {
    case 'content':
      return undefined;
    case 'result':
      return modules.has('authentication') ? undefined : ['authentication'];
    case 'external':
      return [...modules].some(
        ([name, statuses]) => isExternal(name) && (name === 'external' || statuses.includes(selector.status)),
      )
        ? undefined
        : ['external'];
    case 'status': {
      const needed = selector.pairs.filter(({ module }) => module !== '*' && module !== 'message');
      if (needed.length < selector.pairs.length || needed.some(({ module }) => modules.has(module))) return undefined;
      return [...new Set(needed.map(({ module }) => module))];
    }
  }
}

/** `scan` names a module that comes with Gatepost and is not configured. */
function modulesNotConfigured(placed: PlacedRule, { modules }: LintOptions): Problem[] {
  const { rule, source } = placed;
  const named = [...rule.off, ...(Object.keys(rule.thresholds).length > 0 ? ['antispam'] : [])];
  return named
    .filter((name) => KNOWN_MODULES.has(name) && name !== 'message' && !modules.has(name))
    .map((name) =>
      source.warning(within(placed, 'scan', name), `the module ${name} is not configured: this has no effect`, undefined, 'key'),
    );
}

/** Groups that nobody is in. */
function lintNotify(placed: PlacedRule, options: LintOptions): Problem[] {
  const { rule, source } = placed;
  const problems: Problem[] = [];
  const first = (group: Group): OnEntry | undefined =>
    rule.on.find(({ responses }) => responses.some(({ effect }) => effect.notify.some((target) => target.group === group)));
  const additional = first('additional');
  if (additional !== undefined && rule.additional.length === 0)
    problems.push(
      source.warning(
        within(placed, ...pathOfEntry(placed.rule, additional)),
        `\`${additional.key}\` tells the group \`additional\`, and the rule "${rule.id}" has no addresses for it`,
        'write them under `notify: { additional: [...] }` of the rule',
        'key',
      ),
    );
  if (rule.additional.length > 0 && additional === undefined)
    problems.push(
      source.warning(
        within(placed, 'notify', 'additional'),
        `no response of the rule "${rule.id}" tells the group \`additional\``,
        'write `notify: [additional]` at a response',
        'key',
      ),
    );
  const unsent = rule.on.find((entry) => isAnomaly(entry) && entry.responses.some(({ effect }) => effect.notify.length > 0));
  if (unsent !== undefined && options.tellsInformative === false)
    problems.push(
      source.warning(
        within(placed, ...pathOfEntry(placed.rule, unsent)),
        `\`${unsent.key}\` tells people, and no mail is sent: anomalies are informative`,
        'write `notifications: { minSeverity: informative }` in gatepost.yaml, or leave `notify` out',
        'key',
      ),
    );
  const general = first('general');
  // Shipped rules name the group so that a site has only to fill it; that it is empty is said at start.
  const shipped = options.shipped || rule.id === DEFAULT_ID;
  if (general !== undefined && !options.generalConfigured && !shipped)
    problems.push(
      source.warning(
        within(placed, ...pathOfEntry(placed.rule, general)),
        `\`${general.key}\` tells the group \`general\`, and nobody is in it`,
        'write addresses under `notifications: { general: [...] }` in gatepost.yaml',
        'key',
      ),
    );
  return problems;
}

/** Whether the entry is about anomalies alone. */
function isAnomaly({ selector }: OnEntry): boolean {
  return selector.kind === 'status' && selector.pairs.every(({ status }) => status === 'anomaly');
}
