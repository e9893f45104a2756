import { stripVTControlCharacters } from 'node:util';
import { z } from 'zod';
import { shownAddress } from '../config/listening.js';
import { textWidth } from '../config/text-width.js';
import { formatDuration, formatSize } from '../config/units.js';
import { paint, printable } from './terminal.js';

const time = z.iso.datetime();
/** What is shown of the answer; a section that cannot be read is left out of the picture, not of the JSON. */
const shapes = {
  node: z.object({
    name: z.string(),
    roles: z.array(z.string()).default([]),
    comment: z.string(),
    pid: z.number(),
    started: time,
    uptime: z.number(),
    listen: z.array(z.object({ host: z.string(), port: z.number(), implicitTls: z.boolean() })),
  }),
  mail: z.object({
    received: z.number(),
    accepted: z.number(),
    deferred: z.number(),
    refused: z.number(),
    running: z.number(),
  }),
  processes: z.array(
    z.union([
      z.object({
        process: z.number(),
        node: z.object({ name: z.string(), pid: z.number(), uptime: z.number() }),
        mail: z.object({ received: z.number(), running: z.number() }),
        spool: z.object({ items: z.number() }),
      }),
      z.object({ process: z.number(), unknown: z.string() }),
    ]),
  ),
  spool: z.object({
    items: z.number(),
    bytes: z.number(),
    oldest: time.optional(),
    freeDisk: z.number().optional(),
    maxItems: z.number(),
    maxSize: z.number(),
  }),
  notifications: z.object({ pending: z.number() }),
  queue: z.object({ name: z.string(), available: z.boolean() }),
  store: z.object({ name: z.string(), available: z.boolean(), journalLost: z.number() }),
  detectors: z.array(
    z.object({
      module: z.string(),
      state: z.string(),
      reason: z.string().optional(),
      databases: z.object({ version: z.string(), date: time, outdated: z.boolean() }).optional(),
    }),
  ),
  hops: z.array(z.object({ name: z.string(), state: z.string(), failures: z.number() })),
  directory: z.array(
    z.object({
      name: z.string(),
      age: z.number().optional(),
      addresses: z.number().optional(),
      stale: z.boolean(),
      failure: z.string().optional(),
    }),
  ),
  rules: z.object({
    folder: z.string().optional(),
    count: z.number().optional(),
    loadedAt: time,
    hash: z.string(),
    reloads: z.number().default(0),
    waiting: z.array(z.string()).default([]),
    lastReload: z
      .object({ at: time, ok: z.boolean(), problems: z.array(z.object({ message: z.string() })) })
      .optional(),
  }),
  events: z.array(z.object({ event: z.string(), severity: z.string(), subject: z.string(), detail: z.string() })),
};

type Sections = Readonly<Record<string, unknown>>;

/** The picture of a gateway for a person. @param now ms since the epoch @param columns of the terminal; default: lines of any length */
export function statusText(sections: Sections, now: number, columns = Infinity): string {
  const rows: [string, string][] = [];
  const add = (title: string, values: readonly string[]): void => {
    values.forEach((value, index) => rows.push([index === 0 ? title : '', value]));
  };
  const node = read(sections, 'node');
  if (node !== undefined) {
    add('node', [
      `${node.name}${node.comment === '' ? '' : ` (${node.comment})`}, ${[...node.roles, `process ${node.pid}`].join(', ')}`,
    ]);
    add('up', [`${formatDuration(node.uptime)}, since ${node.started}`]);
    add(
      'listens',
      node.listen.map((address) => shownAddress(address)),
    );
  }
  const mail = read(sections, 'mail');
  if (mail !== undefined)
    add('mail', [
      `${mail.received} received, ${mail.accepted} accepted, ${mail.deferred} deferred, ${mail.refused} refused, ${mail.running} at work`,
    ]);
  const processes = read(sections, 'processes');
  if (processes !== undefined)
    add(
      'processes',
      processes.map((each) =>
        'unknown' in each
          ? `${each.process}: ${paint('red', printable(each.unknown))}`
          : `${each.process}: ${each.node.name}, process ${each.node.pid}, up ${formatDuration(each.node.uptime)}, ` +
            `${each.mail.received} received, ${each.mail.running} at work, ${each.spool.items} waiting`,
      ),
    );
  const spool = read(sections, 'spool');
  if (spool !== undefined) {
    const oldest =
      spool.oldest === undefined
        ? ''
        : `, the oldest for ${formatDuration(Math.max(0, now - Date.parse(spool.oldest)))}`;
    const free = spool.freeDisk === undefined ? '' : `; ${formatSize(spool.freeDisk)} free on the disk`;
    add('spool', [
      `${spool.items} waiting, ${formatSize(spool.bytes)} of ${formatSize(spool.maxSize)}${oldest}${free}`,
    ]);
  }
  const quarantine = sections['quarantine'];
  if (quarantine !== undefined) add('quarantine', [plain(quarantine)]);
  const notifications = read(sections, 'notifications');
  if (notifications !== undefined) add('notifications', [`${notifications.pending} pending`]);
  const queue = read(sections, 'queue');
  if (queue !== undefined) add('queue', [mark(queue.available, queue.name)]);
  const store = read(sections, 'store');
  if (store !== undefined)
    add('store', [
      mark(store.available, store.name) + (store.journalLost > 0 ? `, ${store.journalLost} journal lines lost` : ''),
    ]);
  add('detectors', (read(sections, 'detectors') ?? []).map(detectorLine));
  add(
    'next hops',
    (read(sections, 'hops') ?? []).map(({ name, state, failures }) =>
      state === 'ok'
        ? `${name}: ${paint('green', 'ok')}`
        : `${name}: ${paint('red', state)}, ${failures} failures in a row`,
    ),
  );
  add('directory', (read(sections, 'directory') ?? []).map(groupLine));
  const rules = read(sections, 'rules');
  if (rules !== undefined) add('rules', rulesLines(rules));
  const events = read(sections, 'events');
  if (events !== undefined)
    add(
      'events',
      events.length === 0
        ? ['none']
        : events.map(
            ({ event, severity, subject, detail }) =>
              `${paint(severity === 'warning' ? 'yellow' : 'red', event)}${subject === '' ? '' : ` ${printable(subject)}`}: ${printable(detail)}`,
          ),
    );
  const width = Math.max(...rows.map(([title]) => title.length));
  const version = typeof sections['version'] === 'string' ? ` ${sections['version']}` : '';
  return [
    paint('bold', `Gatepost${version}`),
    ...rows.map(([title, value]) => {
      const lines = folded(value, Math.max(20, columns - width - 4));
      return `  ${title.padEnd(width)}  ${lines.join(`\n${' '.repeat(width + 4)}`)}`;
    }),
  ].join('\n');
}

/** The text in lines of at most so many columns, where there are spaces to break it at. */
function folded(text: string, columns: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && textWidth(stripVTControlCharacters(longer)) > columns) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line];
}

function rulesLines(rules: z.output<typeof shapes.rules>): readonly string[] {
  const { count, folder, hash, loadedAt, reloads, waiting, lastReload } = rules;
  const facts = [
    ...(count === undefined || folder === undefined ? [] : [`${count} of ${folder}`]),
    `set ${hash.slice(0, 12)}`,
    `loaded ${loadedAt}`,
    ...(reloads === 0
      ? []
      : [reloads === 1 ? 'changed once since the start' : `changed ${reloads} times since the start`]),
  ];
  const [problem] = lastReload?.problems ?? [];
  return [
    facts.join(', '),
    ...(lastReload?.ok === false
      ? [paint('red', `what was changed is refused since ${lastReload.at}: ${printable(problem?.message ?? '')}`)]
      : []),
    ...(waiting.length === 0 ? [] : [paint('yellow', `waits for a restart: ${printable(waiting.join(', '))}`)]),
  ];
}

function read<Name extends keyof typeof shapes>(
  sections: Sections,
  name: Name,
): z.output<(typeof shapes)[Name]> | undefined;
function read(sections: Sections, name: keyof typeof shapes): unknown {
  const parsed = shapes[name].safeParse(sections[name]);
  return parsed.success ? parsed.data : undefined;
}

function detectorLine({ module, state, reason, databases }: z.output<typeof shapes.detectors>[number]): string {
  const shown =
    state === 'down'
      ? paint('red', `down${reason === undefined ? '' : `: ${printable(reason)}`}`)
      : paint('green', state);
  if (databases === undefined) return `${module}: ${shown}`;
  const age = databases.outdated ? paint('red', ' outdated') : '';
  return `${module}: ${shown}, databases ${printable(databases.version)} of ${databases.date}${age}`;
}

function groupLine({ name, age, addresses, stale, failure }: z.output<typeof shapes.directory>[number]): string {
  const found =
    age === undefined ? paint('red', 'never read') : `${addresses ?? 0} addresses, read ${formatDuration(age)} ago`;
  const old = stale ? ` ${paint('red', 'stale')}` : '';
  return `@ldap:${name}: ${found}${old}${failure === undefined ? '' : `, ${paint('red', printable(failure))}`}`;
}

function mark(available: boolean, name: string): string {
  return available ? name : `${name}: ${paint('red', 'does not answer')}`;
}

/** A section whose shape is its part's own: its values in their order. */
function plain(section: unknown): string {
  if (typeof section !== 'object' || section === null) return printable(String(section));
  return Object.entries(section)
    .filter(([, value]) => value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0))
    .map(([key, value]) => `${key} ${printable(typeof value === 'object' ? JSON.stringify(value) : String(value))}`)
    .join(', ');
}
