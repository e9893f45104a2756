import { formatDuration, parseDuration } from '../config/units.js';
import { eventView, type EventView } from '../gateway/control/status.js';
import { UsageError } from './exit.js';
import { loadSite } from './site-config.js';
import { json, out, paint, printable, table } from './terminal.js';
import { withStore } from './with-store.js';

export interface EventsOptions {
  readonly config?: string;
  readonly json?: boolean;
  readonly all?: boolean;
  readonly since?: string;
}

interface Listed {
  readonly active: readonly EventView[];
  readonly resolved: readonly EventView[];
}

const DAY = 86_400_000;
const GROUPS = ['protection', 'synchronization', 'directory', 'gateway', 'other'];

/** `gatepost events`: the conditions of all nodes, from the store. Without a wish the JSON has what was over in the last day. */
export async function events(options: EventsOptions): Promise<void> {
  const since = sinceOf(options, Date.now());
  const { config } = await loadSite(options.config);
  const listed = await withStore<Listed>(
    config,
    async (store) => ({
      active: (await store.events.active()).map(eventView),
      resolved: since === undefined ? [] : (await store.events.resolved(since)).map(eventView),
    }),
    () => ({ active: [], resolved: [] }),
  );
  if (options.json === true) {
    json(listed);
    return;
  }
  out(eventTables(listed.active, Date.now()));
  if (options.all !== true && options.since === undefined) return;
  out('');
  if (listed.resolved.length === 0) out('No event was resolved in that time.');
  else {
    out(paint('bold', 'resolved'));
    out(
      table(listed.resolved, [
        { title: 'event', value: ({ event }) => event },
        { title: 'node', value: ({ node }) => node },
        { title: 'about', value: ({ subject }) => subject || '-', max: 40 },
        { title: 'from', value: ({ first }) => first.toISOString() },
        { title: 'until', value: ({ resolvedAt }) => resolvedAt?.toISOString() ?? '' },
        { title: 'detail', value: ({ detail }) => detail, max: 100 },
      ]),
    );
  }
}

/** The conditions that hold, a table for each group, all with the same columns. @param now ms since the epoch */
export function eventTables(active: readonly EventView[], now: number): string {
  if (active.length === 0) return 'No event: nothing is wrong as far as the nodes know.';
  const ordered = GROUPS.flatMap((group) => active.filter((view) => view.group === group));
  const lines = table(ordered, [
    { title: 'event', value: ({ event }) => event },
    { title: 'severity', value: ({ severity }) => severity },
    { title: 'node', value: ({ node }) => node },
    { title: 'about', value: ({ subject }) => subject || '-', max: 40 },
    { title: 'since', value: ({ first }) => first.toISOString().slice(0, 19).replace('T', ' ') },
    { title: 'last', value: ({ last }) => `${formatDuration(Math.max(0, now - last.getTime()))} ago`, right: true },
    { title: 'detail', value: detailOf },
  ]).split('\n');
  const [head = '', ...rows] = lines;
  const shown = [head];
  let group = '';
  for (const [index, view] of ordered.entries()) {
    if (view.group !== group) {
      group = view.group;
      shown.push('', paint('bold', group));
    }
    shown.push(paint(colourOf(view.severity), rows[index] ?? ''));
  }
  return shown.join('\n');
}

function detailOf({ detail, lastSuccess }: EventView): string {
  return printable(lastSuccess === undefined ? detail : `${detail} (last good: ${lastSuccess.toISOString()})`);
}

function colourOf(severity: string): 'red' | 'yellow' | 'reset' {
  if (severity === 'critical' || severity === 'error') return 'red';
  return severity === 'warning' ? 'yellow' : 'reset';
}

/** From when on resolved ones are asked for; undefined when they are not. @throws UsageError */
function sinceOf({ all, since, json: asJson }: EventsOptions, now: number): Date | undefined {
  if (since !== undefined) {
    const span = parseDuration(since);
    const time = typeof span === 'number' ? new Date(now - span) : new Date(since);
    if (Number.isNaN(time.getTime()))
      throw new UsageError(
        `--since ${printable(since)}: neither a time such as 2026-11-21T10:00:00Z nor a span such as 2d`,
      );
    return time;
  }
  if (all === true) return new Date(now - 90 * DAY);
  return asJson === true ? new Date(now - DAY) : undefined;
}
