import { EVENTS, type EventName } from '../../events/registry.js';
import { NODE_SILENCE, type NodeRecord } from '../../store/node-types.js';
import type { EventCondition } from '../../store/types.js';

/** What the control node says of a node. */
export interface Verdict {
  readonly event: EventName;
  readonly node: string;
  readonly subject: string;
  readonly detail: string;
  readonly lastSuccess?: Date;
}

export interface JudgeTimes {
  /** Silence after which a node is unavailable, ms. */
  readonly silence: number;
  /** How long nodes may run different rule sets, ms. */
  readonly differ: number;
}

export const JUDGE_TIMES: JudgeTimes = { silence: NODE_SILENCE, differ: 5 * 60_000 };

/** Subject of the condition that versions differ: another one of that name is about Redis. */
export const VERSION_SUBJECT = 'version';

/** Conditions that are the control node's to raise and to resolve, whichever node that is. */
export function isControls({ event, subject }: Pick<EventCondition, 'event' | 'subject'>): boolean {
  return (
    event === 'node-unavailable' ||
    event === 'settings-differ' ||
    (event === 'cluster-misconfigured' && subject === VERSION_SUBJECT)
  );
}

/**
 * What is to be said of the nodes as they are now. What most of them run is taken to be right; with as many on either
 * side it is what the control node runs.
 * @param now by the database's clock
 * @param missed whether silence counts: not while this node itself was cut off from the database
 */
export function judgeNodes(
  nodes: readonly NodeRecord[],
  control: string,
  now: Date,
  missed: boolean,
  times: JudgeTimes = JUDGE_TIMES,
): readonly Verdict[] {
  const running = nodes.filter(({ stopped, silence }) => stopped === undefined && silence <= times.silence);
  return [
    ...(missed ? nodes.flatMap((node) => unavailable(node, times)) : []),
    ...settingsDiffer(running, control, now, times),
    ...versionsDiffer(running, control),
  ];
}

function unavailable({ name, stopped, silence, lastSeen }: NodeRecord, times: JudgeTimes): readonly Verdict[] {
  if (stopped !== undefined || silence <= times.silence) return [];
  const detail =
    `no sign of it since ${lastSeen.toISOString()}: start it again, or forget it for good with ` +
    `\`gatepost nodes remove ${name}\``;
  return [{ event: 'node-unavailable', node: name, subject: '', detail, lastSuccess: lastSeen }];
}

function settingsDiffer(
  running: readonly NodeRecord[],
  control: string,
  now: Date,
  times: JudgeTimes,
): readonly Verdict[] {
  const common = mostCommon(running, control, ({ rules }) => rules);
  if (common === undefined) return [];
  const held = running.filter(({ rules }) => rules === common);
  const sinceCommon = Math.min(...held.map(sinceOf));
  return running
    .filter((node) => node.rules !== common && now.getTime() - Math.max(sinceCommon, sinceOf(node)) > times.differ)
    .map(({ name, rules, rulesSince }) => ({
      event: 'settings-differ' as const,
      node: name,
      subject: '',
      detail:
        `it runs the rule set ${short(rules)} since ${rulesSince.toISOString()}, and ` +
        `${namesOf(held)} ${short(common)}: bring the same rules, lists, templates and domains to all nodes`,
    }));
}

function versionsDiffer(running: readonly NodeRecord[], control: string): readonly Verdict[] {
  const common = mostCommon(running, control, ({ version }) => version);
  return running
    .filter(({ version }) => version !== common)
    .map(({ name, version }) => ({
      event: 'cluster-misconfigured' as const,
      node: name,
      subject: VERSION_SUBJECT,
      detail: `it runs version ${version}, and others ${common ?? ''}: install the same version on all nodes`,
    }));
}

function sinceOf({ started, rulesSince }: NodeRecord): number {
  return Math.max(started.getTime(), rulesSince.getTime());
}

function mostCommon(
  nodes: readonly NodeRecord[],
  control: string,
  valueOf: (node: NodeRecord) => string,
): string | undefined {
  const votes = new Map<string, number>();
  for (const node of nodes)
    // The control node decides between equals.
    votes.set(valueOf(node), (votes.get(valueOf(node)) ?? 0) + (node.name === control ? 1.5 : 1));
  return [...votes].sort(([, a], [, b]) => b - a)[0]?.[0];
}

function short(hash: string): string {
  return hash.slice(0, 12);
}

function namesOf(nodes: readonly NodeRecord[]): string {
  const names = nodes.map(({ name }) => name);
  const shown = names.slice(0, 3).join(', ');
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
}

/** What the verdicts change of the conditions that hold: those to begin, those to be told again, those that are over. */
export function changesOf(
  verdicts: readonly Verdict[],
  active: readonly EventCondition[],
  now: Date,
): {
  readonly raised: readonly EventCondition[];
  readonly still: readonly EventCondition[];
  readonly resolved: readonly EventCondition[];
} {
  const held = new Map(active.filter(isControls).map((condition) => [keyOf(condition), condition]));
  const raised: EventCondition[] = [];
  const still: EventCondition[] = [];
  for (const verdict of verdicts) {
    const before = held.get(keyOf(verdict));
    held.delete(keyOf(verdict));
    const condition: EventCondition = {
      ...verdict,
      severity: EVENTS[verdict.event].severity,
      first: before?.first ?? now,
      last: now,
    };
    if (before === undefined) raised.push(condition);
    else still.push(condition);
  }
  return { raised, still, resolved: [...held.values()].map((condition) => ({ ...condition, resolvedAt: now })) };
}

function keyOf({ event, node, subject }: Pick<EventCondition, 'event' | 'node' | 'subject'>): string {
  return `${event}\n${node}\n${subject}`;
}
