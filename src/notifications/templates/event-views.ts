import { definitionOf, type EventGroup } from '../../events/registry.js';
import type { EventCondition } from '../../store/types.js';
import type { EventContext, NotifiedNode } from '../types.js';
import { formatZoned } from '../zoned-time.js';
import { nodeView, printed, PRODUCT, safe, texts, type ViewPlace } from './views.js';
import type { Words } from './words.js';

/** In the order in which a mail lists them; what a newer node reports and this one does not know stands last. */
const GROUPS: readonly (EventGroup | 'other')[] = ['protection', 'gateway', 'synchronization', 'directory', 'other'];
const SEVERITIES = ['critical', 'error', 'warning', 'informative', 'diagnostic'];
/** Groups of which the last success matters to a reader. */
const WITH_SUCCESS: ReadonlySet<string> = new Set(['synchronization', 'directory']);
/** Conditions of one list; more would not be read. */
const MAX_LISTED = 200;

/** The values that a template of kind `event` can show, made harmless for their place. */
export function eventView(context: EventContext, place: ViewPlace, mydomain: string, words: Words): object {
  const { mail, node } = context;
  const list = (conditions: readonly EventCondition[]): readonly object[] => listed(conditions, context, place, words);
  const changed = (kind: EventContext['mail']['changes'][number]['change']): readonly EventCondition[] =>
    mail.changes.filter(({ change }) => change === kind).map(({ condition }) => condition);
  const raised = changed('raised');
  const about = raised.length > 0 ? raised : mail.conditions.length > 0 ? mail.conditions : mail.resolved;
  const worst = SEVERITIES.find((severity) => about.some((one) => one.severity === severity));
  return {
    productName: PRODUCT,
    mydomain,
    ...nodeView(node),
    date: formatZoned(mail.time, mail.timezone),
    event: texts(unique(about.map(({ event }) => event)), words),
    title: texts(unique(about.map(({ event }) => words.say('events', event))), words),
    severity: worst === undefined ? '' : words.say('severities', worst),
    group: texts(unique(about.map(({ event }) => words.say('groups', groupOf(event)))), words),
    errorDescription: safe(words.phrase(about[0]?.detail ?? ''), place),
    conditions: list(mail.conditions),
    raised: list(raised),
    resolved: list(mail.kind === 'daily' ? mail.resolved : changed('resolved')),
    passed: list(changed('raised-and-resolved')),
  };
}

/** By group, and in each the oldest first; the first of a group bears its name. */
function listed(
  conditions: readonly EventCondition[],
  context: EventContext,
  place: ViewPlace,
  words: Words,
): readonly object[] {
  const sorted = [...conditions].sort(
    (a, b) => GROUPS.indexOf(groupOf(a.event)) - GROUPS.indexOf(groupOf(b.event)) || a.first.getTime() - b.first.getTime(),
  );
  let before = '';
  return printed(
    sorted.slice(0, MAX_LISTED).map((condition) => {
      const group = groupOf(condition.event);
      const heading = group === before ? '' : words.say('groups', group);
      before = group;
      return conditionView(condition, group, heading, context, place, words);
    }),
  );
}

function conditionView(
  condition: EventCondition,
  group: string,
  heading: string,
  { mail, nodes }: EventContext,
  place: ViewPlace,
  words: Words,
): object {
  const time = (at: Date | undefined): string => (at === undefined ? '' : formatZoned(at.getTime(), mail.timezone));
  const node: NotifiedNode | undefined = nodes.get(condition.node);
  const subject = safe(condition.subject, place);
  const title = words.say('events', condition.event);
  return printed(
    {
      heading,
      event: condition.event,
      title,
      group: words.say('groups', group),
      severity: words.say('severities', condition.severity),
      node: safe(condition.node, place),
      nodeIp: node?.address ?? '',
      nodePort: node === undefined ? '' : String(node.port),
      nodeComment: node?.comment ?? '',
      subject,
      first: time(condition.first),
      last: time(condition.last),
      lastSuccess: WITH_SUCCESS.has(group) ? time(condition.lastSuccess) : '',
      resolvedAt: time(condition.resolvedAt),
      detail: safe(words.phrase(condition.detail), place),
    },
    subject === '' ? condition.event : `${condition.event} (${subject})`,
  );
}

function groupOf(event: string): EventGroup | 'other' {
  return definitionOf(event)?.group ?? 'other';
}

function unique(values: readonly string[]): readonly string[] {
  return [...new Set(values)];
}
