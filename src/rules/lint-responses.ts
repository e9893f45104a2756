import type { Problem } from '../config/problems.js';
import { DEFAULT_ID } from './default-rule.js';
import { pathOfEntry } from './entry-path.js';
import { ANOMALIES } from '../message/anomalies.js';
import { nearest } from '../config/suggest.js';
import { isExternal, KNOWN_MODULES } from './findings.js';
import { compileMask } from './mask.js';
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
    ...turnedOff(placed, options),
    ...outOfReach(placed, options),
    ...unknownAnomalies(placed),
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

/** Responses to findings of modules that are configured, and that the rule itself turns off. */
function turnedOff(placed: PlacedRule, { modules }: LintOptions): Problem[] {
  const { rule, source } = placed;
  if (rule.off.length === 0) return [];
  const left = new Map([...modules].filter(([name]) => !rule.off.includes(name)));
  return rule.on
    .filter((entry) => missingModules(entry, modules) === undefined && missingModules(entry, left) !== undefined)
    .map((entry) =>
      source.warning(
        within(placed, ...pathOfEntry(rule, entry)),
        `\`${entry.key}\` can never fire: the rule turns off what reports it`,
        'leave the module out under `scan`, or this response',
        'key',
      ),
    );
}

/** Classes of spam that no score can have with the limits of the rule. */
function outOfReach(placed: PlacedRule, { limits }: LintOptions): Problem[] {
  const { rule, source } = placed;
  if (Object.keys(rule.thresholds).length === 0) return [];
  const { spam, probableSpam, bulk } = { ...limits, ...rule.thresholds };
  const above = Math.min(spam, probableSpam);
  const unreached: Readonly<Record<string, string | undefined>> = {
    'probable-spam': probableSpam >= spam ? `from ${spam} points on it is spam, and \`probableSpam\` is ${probableSpam}` : undefined,
    bulk: bulk >= above ? `from ${above} points on it is spam or probable spam, and \`bulk\` is ${bulk}` : undefined,
  };
  return rule.on.flatMap((entry) => {
    const { selector } = entry;
    const [pair, ...more] = selector.kind === 'status' ? selector.pairs : [];
    if (pair?.module !== 'antispam' || more.length > 0) return [];
    const why = unreached[pair.status];
    if (why === undefined) return [];
    return [
      source.warning(
        within(placed, ...pathOfEntry(rule, entry)),
        `\`${entry.key}\` can never fire: ${why}`,
        'write all limits of the rule under `scan: { antispam: ... }`: those that are left out are those of gatepost.yaml',
        'key',
      ),
    ];
  });
}

/** Names of anomalies that there are not. */
function unknownAnomalies(placed: PlacedRule): Problem[] {
  const { rule, source } = placed;
  return rule.on.filter(isAnomaly).flatMap((entry) => {
    const path = within(placed, ...pathOfEntry(rule, entry));
    const isList = Array.isArray(source.valueAt(path));
    return entry.responses.flatMap(({ names }, i) => {
      const at = [...path, ...(isList ? [i] : []), 'name'];
      const isListOfNames = Array.isArray(source.valueAt(at));
      return (names ?? []).flatMap((name, j) => {
        const takes = compileMask(name);
        if (name.startsWith('@') || ANOMALIES.some(takes)) return [];
        const meant = nearest(name, ANOMALIES);
        return [
          source.warning(
            isListOfNames ? [...at, j] : at,
            `there is no anomaly "${name.slice(0, 80)}": this name takes nothing`,
            meant === undefined ? 'docs/anomalies.md lists all' : `did you mean \`${meant}\`?`,
          ),
        ];
      });
    });
  });
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
