import { parseMoment } from '../config/moment.js';
import { formatSize, parseDuration } from '../config/units.js';
import type { QuarantineFilter, QuarantineItem } from '../store/types.js';
import { UsageError } from './exit.js';
import { loadSite } from './site-config.js';
import { jsonText, out, table } from './terminal.js';
import { withStore } from './with-store.js';

const SHOWN = 100;

export interface ListOptions {
  readonly config?: string;
  readonly json?: boolean;
  readonly id?: string;
  readonly rule?: string;
  readonly finding?: string;
  readonly sender?: string;
  readonly recipient?: string;
  readonly since?: string;
  readonly until?: string;
  readonly limit?: string;
  readonly all?: boolean;
}

/** `gatepost quarantine list` */
export async function listQuarantine(options: ListOptions): Promise<void> {
  if (options.all === true && options.limit !== undefined) throw new UsageError('--all and --limit exclude each other');
  const limit = options.limit === undefined ? undefined : countOf(options.limit);
  const { config } = await loadSite(options.config);
  const filter = filterOf(options, config.node.timezone, Date.now());
  if (options.json === true) {
    await withStore(
      config,
      async (store) => await printJson(store.quarantine.each({ ...filter, ...(limit === undefined ? {} : { limit }) })),
      () => out('[]'),
    );
    return;
  }
  const most = options.all === true ? Infinity : (limit ?? SHOWN);
  const items = await withStore<readonly QuarantineItem[]>(
    config,
    async (store) => await collect(store.quarantine.each({ ...filter, limit: most + 1 })),
    () => [],
  );
  if (items.length === 0) {
    out(Object.keys(filter).length > 0 ? 'Nothing in the quarantine fits.' : 'The quarantine is empty.');
    return;
  }
  out(
    table(items.slice(0, most), [
      { title: 'id', value: (i) => i.id },
      { title: 'time', value: (i) => `${i.time.toISOString().slice(0, 19)}Z` },
      { title: 'sender', value: (i) => i.envelope.sender || '<>', max: 40 },
      { title: 'recipients', value: (i) => i.recipients.join(', '), max: 40 },
      { title: 'size', value: (i) => formatSize(i.size), right: true },
      { title: 'rule', value: (i) => i.rules.join(', '), max: 30 },
      { title: 'finding', value: findingOf, max: 40 },
      { title: 'state', value: (i) => i.state },
      { title: 'subject', value: (i) => i.subject, max: 60 },
    ]),
  );
  if (items.length > most) out(`(the newest ${most}; --limit shows more, --all shows all)`);
}

/** The shape that scripts rely on. */
export function itemJson(item: QuarantineItem): object {
  const { id, time, envelope, recipients, subject, size, rules, findings, state, node, messageId } = item;
  return {
    id,
    time,
    sender: envelope.sender,
    recipients,
    subject,
    size,
    rule: rules[0] ?? null,
    rules,
    findings,
    state,
    node,
    messageId,
  };
}

/** An array, written piece by piece: a large quarantine is not held in memory. */
async function printJson(items: AsyncIterable<QuarantineItem>): Promise<void> {
  let any = false;
  for await (const item of items) {
    const text = jsonText(itemJson(item)).replace(/^/gm, '  ');
    process.stdout.write(`${any ? ',' : '['}\n${text}`);
    any = true;
  }
  out(any ? '\n]' : '[]');
}

async function collect(items: AsyncIterable<QuarantineItem>): Promise<QuarantineItem[]> {
  const found: QuarantineItem[] = [];
  for await (const item of items) found.push(item);
  return found;
}

/** The first thing that was found, and how many more there are. */
function findingOf({ findings }: QuarantineItem): string {
  const telling = findings.filter(({ status }) => status !== 'clean');
  const [first] = telling;
  if (first === undefined) return '';
  const more = telling.length > 1 ? ` (+${telling.length - 1})` : '';
  return `${first.name ?? `${first.module}.${first.status}`}${more}`;
}

function filterOf(options: ListOptions, timezone: string, now: number): QuarantineFilter {
  const { id, rule, finding, sender, recipient } = options;
  if (id !== undefined && !/^[0-9A-Za-z]{1,26}$/.test(id))
    throw new UsageError(`--id: "${id}" is not a message ID or its beginning: it has up to 26 letters and digits`);
  return {
    ...(id === undefined ? {} : { id }),
    ...(rule === undefined ? {} : { rule }),
    ...(finding === undefined ? {} : { finding }),
    ...(sender === undefined ? {} : { sender }),
    ...(recipient === undefined ? {} : { recipient }),
    ...(options.since === undefined ? {} : { since: timeOf('--since', options.since, timezone, now) }),
    ...(options.until === undefined ? {} : { until: timeOf('--until', options.until, timezone, now) }),
  };
}

function timeOf(option: string, text: string, timezone: string, now: number): Date {
  const span = parseDuration(text);
  const time = span === undefined ? parseMoment(text, timezone) : now - span;
  if (time === undefined || Number.isNaN(new Date(time).getTime()))
    throw new UsageError(
      `${option}: "${text}" is not a time; write it as 2d or 12h (ago), 2026-11-21 or 2026-11-21T17:05:00Z`,
    );
  return new Date(time);
}

function countOf(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new UsageError(`--limit: "${text}" is not a number of items`);
  return Number(text);
}
