import { loadConfig } from '../config/load.js';
import { formatSize } from '../config/units.js';
import type { EventMail } from '../store/event-mail-types.js';
import type { LedgerEntry, QuarantineRecord } from '../store/types.js';
import { printDecisions } from './decisions.js';
import { EXIT } from './exit.js';
import { notificationJson } from './notifications-view.js';
import { err, json, out, paint, printable, table, type Column } from './terminal.js';
import { findStories, type MailStory, type MessageStory, type Story } from './trace-find.js';
import { withStore } from './with-store.js';

/** `gatepost trace`: the whole story of a message, or of a mail that is about none. */
export async function trace(id: string, options: { readonly config?: string; readonly json?: boolean }): Promise<void> {
  const { config } = await loadConfig(options.config);
  const stories = await withStore<readonly Story[]>(
    config,
    async (store) => await findStories(store, id),
    () => [],
  );
  const [first] = stories;
  if (first === undefined) {
    err(`Nothing with the ID ${printable(id)} is in the journal, the quarantine or the ledger.`);
    process.exitCode = EXIT.no;
    return;
  }
  if (options.json === true) {
    json('entry' in first ? toJson(first) : mailJson(first));
    return;
  }
  for (const [i, story] of stories.entries()) {
    if (i > 0) out();
    if ('entry' in story) print(story);
    else printMail(story);
  }
}

/** The shape that scripts rely on. */
function toJson({ entry, notifications, quarantine }: MessageStory): object {
  const decisions = entry.decisions.map(({ recipient, decision, considered, changes }) => ({
    recipient,
    rule: decision.rule,
    action: decision.action,
    quarantine: decision.quarantine,
    tags: decision.tags,
    fired: decision.fired,
    reply: decision.reply ?? null,
    notes: decision.notes,
    changes,
    considered,
  }));
  const kept =
    quarantine === undefined
      ? null
      : {
          state: quarantine.state,
          recipients: quarantine.recipients,
          rules: quarantine.rules,
          releases: quarantine.releases,
        };
  return { ...entry, decisions, quarantine: kept, notifications: notifications.map(notificationJson) };
}

/** A mail that is about no message of the journal, in the same keys as far as they fit. */
function mailJson({ notifications, event }: MailStory): object {
  const [first] = notifications;
  return {
    id: first?.traceId ?? first?.id,
    time: first?.time,
    kind: first?.kind,
    messageId: first?.messageId,
    recipients: notifications.map(({ to }) => to),
    ...(event === undefined
      ? {}
      : {
          event: { kind: event.kind, conditions: event.conditions, changes: event.changes, resolved: event.resolved },
        }),
    notifications: notifications.map(notificationJson),
  };
}

function print({ entry, notifications, quarantine }: MessageStory): void {
  const facts: [string, string][] = [
    ['Received', `${entry.time.toISOString()} by ${entry.node}`],
    ['From', `${entry.sender || '<>'}, client ${entry.client} (${entry.helo})`],
    ['To', entry.recipients.join(', ')],
    ['Subject', entry.subject || '(none)'],
    ['Message-ID', entry.messageId || '(none)'],
    ['Size', formatSize(entry.size)],
    ['Reply', entry.reply],
  ];
  if (quarantine !== undefined) facts.push(['Quarantine', quarantineText(quarantine)]);
  out(paint('bold', entry.id));
  for (const [key, value] of facts) out(`  ${key.padEnd(10)}  ${printable(value)}`);
  const findings = entry.findings.filter((f) => f.status !== 'clean');
  section('Findings', findings, [
    { title: 'finding', value: (f) => `${f.module}.${f.status}` },
    { title: 'name', value: (f) => f.name ?? '', max: 50 },
    { title: 'object', value: (f) => f.object ?? '(message)', max: 50 },
    { title: 'detail', value: (f) => f.detail ?? '', max: 80 },
  ]);
  section('Modules', entry.modules, [
    { title: 'module', value: (m) => m.module },
    { title: 'status', value: (m) => m.status },
    { title: 'ms', value: (m) => m.milliseconds.toFixed(1), right: true },
  ]);
  printDecisions(entry.decisions);
  section('Deliveries', entry.deliveries, [
    { title: 'recipient', value: (d) => d.recipient },
    { title: 'item', value: (d) => d.item },
    { title: 'state', value: (d) => d.state },
    { title: 'hop', value: (d) => d.hop },
    { title: 'time', value: (d) => d.time.toISOString() },
    { title: 'reply', value: (d) => d.reply, max: 100 },
  ]);
  printNotifications(notifications);
}

/** A mail about events, a summary, or what is left of a message that only the ledger knows. */
function printMail({ notifications, event }: MailStory): void {
  const [first] = notifications;
  if (first === undefined) return;
  out(paint('bold', printable(first.traceId ?? first.messageId)));
  if (first.traceId !== undefined) out('  The journal does not know this message (any more): this is from the ledger.');
  else out(`  ${'Mail'.padEnd(10)}  ${printable(`${first.template}, ${first.time.toISOString()}`)}`);
  if (event !== undefined) {
    section('Changes', event.changes, [
      { title: 'change', value: ({ change }) => change },
      ...CONDITION.map((column) => ({
        ...column,
        value: ({ condition }: EventMail['changes'][number]) => column.value(condition),
      })),
    ]);
    section('Conditions', event.conditions, CONDITION);
  }
  printNotifications(notifications);
}

const CONDITION: readonly Column<EventMail['conditions'][number]>[] = [
  { title: 'event', value: ({ event }) => event },
  { title: 'severity', value: ({ severity }) => severity },
  { title: 'node', value: ({ node }) => node },
  { title: 'about', value: ({ subject }) => subject || '-', max: 40 },
  { title: 'detail', value: ({ detail }) => detail, max: 80 },
];

function printNotifications(notifications: readonly LedgerEntry[]): void {
  section('Notifications', notifications, [
    { title: 'to', value: (n) => n.to, max: 50 },
    { title: 'group', value: (n) => n.group ?? n.kind },
    { title: 'template', value: (n) => n.template },
    { title: 'state', value: (n) => n.state },
    { title: 'tries', value: (n) => String(n.attempts), right: true },
    { title: 'Message-ID', value: (n) => n.messageId || '-' },
    { title: 'reply or reason', value: answerOf, max: 100 },
  ]);
}

function answerOf({ reason, lastReply, state, nextAttempt }: LedgerEntry): string {
  const next = state === 'queued' && nextAttempt !== undefined ? `next try ${nextAttempt.toISOString()}` : undefined;
  return [reason, lastReply, next].filter((part) => part !== undefined).join('; ');
}

function quarantineText({ state, recipients, releases }: QuarantineRecord): string {
  const kept = `${state}, for ${recipients.join(', ')}`;
  const released = releases.map(
    (r) => `released ${r.time.toISOString()} on ${r.node} to ${r.recipients.join(', ')} as ${r.item}`,
  );
  return [kept, ...released].join('; ');
}

function section<T>(title: string, rows: readonly T[], columns: Parameters<typeof table<T>>[1]): void {
  out(`\n${paint('bold', title)}${rows.length === 0 ? ': none' : ''}`);
  if (rows.length > 0) out(table(rows, columns).replace(/^/gm, '  '));
}
