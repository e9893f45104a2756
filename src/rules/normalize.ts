import type { OnEntry, ResponseData, RuleData } from './model.js';
import { compact, type RawResponse } from './schema-response.js';
import type { ParsedRule } from './schema-rule.js';
import type { Group } from './types.js';

type Templates = Partial<Record<Group, string>>;

/** Name of the shipped template of a group. */
export function defaultTemplate(group: Group): string {
  return `rule-${group}`;
}

/**
 * Brings a checked rule into the form in which it is matched and decided.
 * @param order keys of `on` as they stand in the file: it is the order of the rule
 */
export function normalizeRule(rule: ParsedRule, order: readonly string[]): RuleData {
  const templates: Templates = compact(rule.notify.templates);
  const on = rule.on
    .toSorted((a, b) => order.indexOf(a.from) - order.indexOf(b.from))
    .flatMap(({ entries }) => entries)
    .map((entry): OnEntry => ({ ...entry, responses: entry.responses.map((raw) => withTemplates(raw, templates)) }));
  const { antispam } = rule.scan;
  return {
    id: rule.id,
    name: rule.name ?? rule.id,
    enabled: rule.enabled,
    mode: rule.mode,
    match: rule.match,
    process: rule.process,
    ...(rule.reply === undefined ? {} : { reply: rule.reply }),
    off: Object.entries(rule.scan)
      .filter(([, value]) => value === false)
      .map(([name]) => name),
    thresholds: typeof antispam === 'object' ? antispam : {},
    on,
    additional: rule.notify.additional,
  };
}

function withTemplates(response: RawResponse, templates: Templates): ResponseData {
  const notify = response.effect.notify.map(({ group, template, attach }) => ({
    group,
    template: template ?? templates[group] ?? defaultTemplate(group),
    attach,
  }));
  return { ...response, effect: { ...response.effect, notify } };
}
