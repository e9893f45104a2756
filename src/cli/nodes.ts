import { formatDuration } from '../config/units.js';
import { NODE_SILENCE, type ControlNode, type NodeRecord } from '../store/node-types.js';
import { EXIT } from './exit.js';
import { loadSite } from './site-config.js';
import { err, json, out, paint, printable, table } from './terminal.js';
import { withStore } from './with-store.js';

export interface NodesOptions {
  readonly config?: string;
  readonly json?: boolean;
}

/** A node as the command prints it. */
export interface NodeView {
  readonly name: string;
  readonly roles: readonly string[];
  readonly address: string;
  readonly port: number;
  readonly comment: string;
  readonly timezone: string;
  readonly version: string;
  readonly rules: string;
  readonly started: Date;
  readonly lastSeen: Date;
  /** ms that its clock is ahead of the database's. */
  readonly clock: number;
  readonly state: 'running' | 'unavailable' | 'stopped';
  readonly control: boolean;
}

/** `gatepost nodes`: who belongs to the cluster, and how each one stands. */
export async function listNodes(options: NodesOptions): Promise<void> {
  const { config } = await loadSite(options.config);
  const views = await withStore<readonly NodeView[]>(
    config,
    async ({ nodes }) => {
      const control = await nodes.control();
      return (await nodes.list()).map((node) => viewOf(node, control));
    },
    () => [],
  );
  if (options.json === true) json(views);
  else out(nodesTable(views, Date.now()));
}

/** `gatepost nodes remove`: forgets a node that will not come back. One that runs enters itself again. */
export async function removeNode(name: string, options: NodesOptions): Promise<void> {
  const { config } = await loadSite(options.config);
  const answer = await withStore<'removed' | 'running' | 'unknown'>(
    config,
    async ({ nodes }) => {
      const node = (await nodes.list()).find((each) => each.name === name);
      if (node === undefined) return 'unknown';
      if (stateOf(node) === 'running') return 'running';
      return (await nodes.remove(name)) ? 'removed' : 'unknown';
    },
    () => 'unknown',
  );
  conclude(name, answer, options, {
    removed: `${printable(name)} is forgotten.`,
    running: `${printable(name)} runs: stop it first.`,
  });
}

/** `gatepost nodes control`: has a node be the control node whenever it runs; without a name the nodes settle it again. */
export async function preferControl(name: string | undefined, options: NodesOptions): Promise<void> {
  const { config } = await loadSite(options.config);
  const answer = await withStore<'preferred' | 'unknown'>(
    config,
    async ({ nodes }) => {
      if (name !== undefined && !(await nodes.list()).some((each) => each.name === name)) return 'unknown';
      await nodes.prefer(name);
      return 'preferred';
    },
    () => 'unknown',
  );
  conclude(name ?? '', answer, options, {
    preferred:
      name === undefined
        ? 'The nodes settle by themselves which one is the control node.'
        : `${printable(name)} is the control node whenever it runs.`,
  });
}

function conclude(name: string, answer: string, options: NodesOptions, words: Readonly<Record<string, string>>): void {
  const good = answer === 'removed' || answer === 'preferred';
  if (!good) process.exitCode = EXIT.no;
  if (options.json === true) json({ name, result: answer });
  else if (good) out(words[answer] ?? '');
  else err(words[answer] ?? `There is no node named ${printable(name)}.`);
}

function viewOf(node: NodeRecord, control: ControlNode | undefined): NodeView {
  const { name, roles, address, port, comment, timezone, version, rules, started, lastSeen, clock } = node;
  const state = stateOf(node);
  return {
    name,
    roles,
    address,
    port,
    comment,
    timezone,
    version,
    rules,
    started,
    lastSeen,
    clock,
    state,
    control: control?.name === name && !control.expired,
  };
}

function stateOf({ stopped, silence }: NodeRecord): NodeView['state'] {
  if (stopped !== undefined) return 'stopped';
  return silence > NODE_SILENCE ? 'unavailable' : 'running';
}

/** @param now ms since the epoch */
export function nodesTable(views: readonly NodeView[], now: number): string {
  if (views.length === 0) return 'No node has ever run on this database.';
  const [head = '', ...rows] = table(views, [
    { title: 'name', value: ({ name, control }) => (control ? `${name} *` : name) },
    { title: 'state', value: ({ state }) => state },
    { title: 'last seen', value: ({ lastSeen }) => agoOf(now - lastSeen.getTime()), right: true },
    {
      title: 'clock',
      value: ({ clock }) => `${clock < 0 ? '-' : '+'}${(Math.abs(clock) / 1000).toFixed(1)}s`,
      right: true,
    },
    { title: 'roles', value: ({ roles }) => roles.join(',') },
    { title: 'rules', value: ({ rules }) => rules.slice(0, 12) },
    { title: 'address', value: ({ address, port }) => (port === 0 ? address : `${address}:${port}`) },
    { title: 'started', value: ({ started }) => started.toISOString().slice(0, 16).replace('T', ' ') },
    { title: 'version', value: ({ version }) => version },
    { title: 'comment', value: ({ comment }) => printable(comment) || '-', max: 40 },
  ]).split('\n');
  const coloured = rows.map((row, i) => {
    const state = views[i]?.state;
    return paint(state === 'unavailable' ? 'red' : state === 'stopped' ? 'yellow' : 'reset', row);
  });
  const control = views.find((view) => view.control);
  const last =
    control === undefined
      ? 'No control node at present: one takes over within half a minute.'
      : `* control node; its time zone, ${control.timezone}, is that of the daily mail`;
  return [head, ...coloured, '', last].join('\n');
}

function agoOf(ms: number): string {
  return `${formatDuration(Math.max(0, Math.round(ms / 1000) * 1000))} ago`;
}
