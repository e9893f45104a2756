import { parseMoment } from '../config/moment.js';
import { parseDuration } from '../config/units.js';
import { parseTraceId } from '../message/trace-id.js';
import type { NotificationFilter, Reopening } from '../store/notification-book-types.js';
import type { LedgerEntry, NotificationState } from '../store/types.js';
import { EXIT, UsageError } from './exit.js';
import { colourOf, findNotifications, notificationJson } from './notifications-view.js';
import { loadSite } from './site-config.js';
import { err, json, out, paint, printable, table } from './terminal.js';
import { withStore } from './with-store.js';

export interface NotificationListOptions {
  readonly config?: string;
  readonly json?: boolean;
  readonly state?: string;
  readonly kind?: string;
  readonly to?: string;
  readonly traceId?: string;
  readonly summary?: string;
  readonly since?: string;
  readonly after?: string;
  readonly limit?: string;
}

const STATES: readonly NotificationState[] = ['queued', 'sent', 'folded', 'suppressed', 'failed'];
const KINDS: readonly LedgerEntry['kind'][] = ['rule', 'dsn', 'notice', 'event', 'summary'];
const SHOWN = 100;

/** `gatepost notifications list` */
export async function listNotifications(options: NotificationListOptions): Promise<void> {
  const { config } = await loadSite(options.config);
  const filter = filterOf(options, config.node.timezone);
  const limit = filter.limit ?? (options.json === true ? undefined : SHOWN);
  const found = await withStore<readonly LedgerEntry[]>(
    config,
    async (store) =>
      await store.notifications.list({ ...filter, ...(limit === undefined ? {} : { limit: limit + 1 }) }),
    () => [],
  );
  const shown = limit === undefined ? found : found.slice(0, limit);
  if (options.json === true) {
    json(shown.map(notificationJson));
    return;
  }
  if (shown.length === 0) {
    out('No notifications.');
    return;
  }
  out(
    table(shown, [
      { title: 'time', value: (n) => n.time.toISOString().slice(0, 19).replace('T', ' ') },
      { title: 'id', value: (n) => n.id },
      { title: 'state', value: (n) => n.state },
      { title: 'to', value: (n) => n.to, max: 50 },
      { title: 'template', value: (n) => n.template, max: 30 },
      { title: 'trace ID', value: (n) => n.traceId ?? '-' },
      { title: 'tries', value: (n) => String(n.attempts), right: true },
      { title: 'reason or reply', value: (n) => n.reason ?? n.lastReply ?? '', max: 80 },
    ]),
  );
  const last = shown.at(-1);
  if (found.length > shown.length && last !== undefined)
    out(`\nThere are more: --limit shows more at once, --after ${printable(last.id)} the next ones.`);
}

/** `gatepost notifications show` */
export async function showNotification(
  id: string,
  options: { readonly config?: string; readonly json?: boolean },
): Promise<void> {
  const { config } = await loadSite(options.config);
  const found = await withStore<readonly Story[]>(
    config,
    async (store) =>
      await Promise.all(
        (await findNotifications(store, id)).map(async (entry) => ({
          entry,
          reopenings: await store.notifications.reopenings(entry.id),
        })),
      ),
    () => [],
  );
  const [first] = found;
  if (first === undefined) {
    err(`No notification with the ID ${printable(id)} is in the ledger.`);
    process.exitCode = EXIT.no;
    return;
  }
  if (options.json === true) {
    const shaped = found.map(({ entry, reopenings }) => ({ ...notificationJson(entry), reopened: reopenings }));
    json(shaped.length === 1 ? shaped[0] : shaped);
    return;
  }
  for (const story of found) print(story);
}

interface Story {
  readonly entry: LedgerEntry;
  readonly reopenings: readonly Reopening[];
}

function print({ entry, reopenings }: Story): void {
  const facts: [string, string | undefined][] = [
    ['Kind', entry.group === undefined ? entry.kind : `${entry.kind}, group ${entry.group}`],
    ['About', entry.traceId],
    ['Rule', entry.rule],
    ['To', entry.to],
    ['Template', entry.template],
    ['Message-ID', entry.messageId === '' ? undefined : `<${entry.messageId}>`],
    ['Recorded', entry.time.toISOString()],
    ['Attempts', String(entry.attempts)],
    ['Answer', entry.lastReply],
    ['Reason', entry.reason],
    ['Summary', entry.summary],
    ['Next try', entry.state === 'queued' ? (entry.nextAttempt?.toISOString() ?? 'not known yet') : undefined],
  ];
  out(`${paint('bold', printable(entry.id))}  ${paint(colourOf(entry.state), entry.state)}`);
  for (const [key, value] of facts) if (value !== undefined) out(`  ${key.padEnd(10)}  ${printable(value)}`);
  for (const { time, who, was, reason, attempts, lastReply } of reopenings) {
    const before = [`was ${was} after ${attempts}`, reason, lastReply].filter((part) => part !== undefined).join('; ');
    out(`  ${'Reopened'.padEnd(10)}  ${time.toISOString()} by ${printable(who)} (${printable(before)})`);
  }
}

/** @throws UsageError */
function filterOf(options: NotificationListOptions, timezone: string): NotificationFilter {
  const { to } = options;
  const state = oneOf('--state', options.state, STATES);
  const kind = oneOf('--kind', options.kind, KINDS);
  const traceId = options.traceId === undefined ? undefined : parseTraceId(options.traceId.replace(/\.\w+$/, ''));
  if (options.traceId !== undefined && traceId === undefined)
    throw new UsageError(`--trace-id ${printable(options.traceId)}: not a unique ID`);
  const since = options.since === undefined ? undefined : momentOf(options.since, timezone);
  const limit = options.limit === undefined ? undefined : Number(options.limit);
  if (limit !== undefined && (!Number.isInteger(limit) || limit < 1 || limit > 10_000))
    throw new UsageError(`--limit ${printable(options.limit ?? '')}: a whole number from 1 to 10000`);
  return {
    ...(state === undefined ? {} : { state }),
    ...(kind === undefined ? {} : { kind }),
    ...(to === undefined ? {} : { to }),
    ...(traceId === undefined ? {} : { traceId }),
    ...(options.summary === undefined ? {} : { summary: options.summary }),
    ...(since === undefined ? {} : { since }),
    ...(options.after === undefined ? {} : { after: options.after }),
    ...(limit === undefined ? {} : { limit }),
  };
}

function oneOf<T extends string>(option: string, text: string | undefined, all: readonly T[]): T | undefined {
  if (text === undefined) return undefined;
  const found = all.find((one) => one === text);
  if (found === undefined) throw new UsageError(`${option} ${printable(text)}: one of ${all.join(', ')}`);
  return found;
}

/** A moment, or a span that ends now. @throws UsageError */
function momentOf(text: string, timezone: string): Date {
  const span = parseDuration(text);
  const moment = span === undefined ? parseMoment(text, timezone) : Date.now() - span;
  if (moment === undefined)
    throw new UsageError(`--since ${printable(text)}: neither a time such as 2026-11-21 nor a span such as 2d`);
  return new Date(moment);
}
