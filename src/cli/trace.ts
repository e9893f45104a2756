import { formatSize } from '../config/units.js';
import { replyLine } from '../delivery/reply.js';
import type { SpoolItem } from '../delivery/spool-item.js';
import type { EventMail } from '../store/event-mail-types.js';
import type { JournalEntry, LedgerEntry, QuarantineRecord } from '../store/types.js';
import { printDecisions } from './decisions.js';
import { EXIT } from './exit.js';
import { stateOf } from './queue-select.js';
import { loadSite } from './site-config.js';
import { spoolsOf } from './spools.js';
import { err, json, out, paint, printable, table, type Column } from './terminal.js';
import {
  findInSpool,
  findStories,
  type MailStory,
  type MessageStory,
  type Story,
  type SummaryStory,
} from './trace-find.js';
import { storyJson } from './trace-json.js';
import { withStore } from './with-store.js';

/** Rows of what a summary stands for, on a terminal. */
const SHOWN = 100;

/** `gatepost trace`: the whole story of a message, or of a mail that is about none. */
export async function trace(id: string, options: { readonly config?: string; readonly json?: boolean }): Promise<void> {
  const { config } = await loadSite(options.config);
  const spools = await spoolsOf(config.data);
  const known = await withStore<readonly Story[] | undefined>(
    config,
    async (store) => await findStories(store, id, spools),
    () => undefined,
  );
  const stories = known ?? (await findInSpool(id, spools));
  const [first, ...others] = stories;
  if (first === undefined) {
    err(`Nothing with the ID ${printable(id)} is in the journal, the quarantine, the spool or the ledger.`);
    process.exitCode = EXIT.no;
    return;
  }
  if (options.json === true) {
    json(storyJson(first, others));
    return;
  }
  for (const [i, story] of stories.entries()) {
    if (i > 0) out();
    if ('entry' in story) print(story, config.node.name);
    else printMail(story);
  }
}

/** @param here the node that this runs on */
function print({ entry, notifications, quarantine, spool, summaries, due }: MessageStory, here: string): void {
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
  printSpool(spool, entry, here);
  printNotifications(notifications, due);
  for (const one of summaries)
    out(`  summary ${printable(one.id)}, <${printable(one.messageId)}>: ${one.state}; ${printable(answerOf(one))}`);
}

/** What waits, and how the attempts went. */
function printSpool(items: readonly SpoolItem[], { node, deliveries, id }: JournalEntry, here: string): void {
  const last = new Map(deliveries.map(({ recipient, item, state }) => [`${item} ${recipient}`, state]));
  if (items.length === 0) {
    if (node !== here && [...last.values()].some((state) => state === 'spooled' || state === 'deferred'))
      out(`\nWhat was spooled lies on ${printable(node)}: gatepost queue show ${id} tells there how it stands.`);
    return;
  }
  const waiting = items.flatMap((item) => item.recipients.map((recipient) => ({ item, recipient })));
  section('Spool', waiting, [
    { title: 'recipient', value: ({ recipient }) => recipient.address },
    { title: 'item', value: ({ item }) => (item.dsn === undefined ? item.item : `${item.item} (${item.dsn})`) },
    {
      title: 'state',
      value: ({ item, recipient }) => (recipient.state === 'waiting' ? stateOf(item) : recipient.state),
    },
    { title: 'tries', value: ({ recipient }) => String(recipient.attempts), right: true },
    {
      title: 'next attempt',
      value: ({ item, recipient }) =>
        recipient.state === 'waiting' && item.held === undefined ? item.nextAttempt : '-',
    },
    { title: 'hop', value: ({ recipient }) => recipient.hop },
    {
      title: 'last reply',
      value: ({ item, recipient }) =>
        recipient.lastReply === undefined ? (item.reason ?? '') : replyLine(recipient.lastReply),
      max: 100,
    },
  ]);
  const attempts = items.flatMap((item) => item.history.map((attempt) => ({ item, attempt })));
  if (attempts.length === 0) return;
  section('Attempts', attempts, [
    { title: 'time', value: ({ attempt }) => attempt.time },
    { title: 'item', value: ({ item }) => item.item },
    { title: 'hop', value: ({ attempt }) => attempt.hop },
    { title: 'replies', value: ({ attempt }) => attempt.replies.join('; '), max: 160 },
  ]);
}

/** A mail about events, a summary, or what is left of a message that only the ledger knows. */
function printMail({ notifications, event, summary }: MailStory): void {
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
  if (summary !== undefined) printSummary(summary);
  printNotifications(notifications);
}

function printSummary({ said, folded }: SummaryStory): void {
  const first = folded[0]?.summary ?? said?.id;
  if (said !== undefined) {
    const span = `folded from ${new Date(said.first).toISOString()} to ${new Date(said.last).toISOString()}`;
    out(`  ${'Stands for'.padEnd(10)}  ${said.total} notifications about ${said.messages} messages, ${span}`);
  }
  section('Folded', folded.slice(0, SHOWN), [
    { title: 'time', value: (n) => n.time.toISOString() },
    { title: 'to', value: (n) => n.to, max: 50 },
    { title: 'template', value: (n) => n.template },
    { title: 'rule', value: (n) => n.rule ?? '-' },
    { title: 'trace ID', value: (n) => n.traceId ?? '-' },
  ]);
  if (folded.length > SHOWN && first !== undefined)
    out(`  There are more: gatepost notifications list --summary ${first} --json has them all.`);
}

const CONDITION: readonly Column<EventMail['conditions'][number]>[] = [
  { title: 'event', value: ({ event }) => event },
  { title: 'severity', value: ({ severity }) => severity },
  { title: 'node', value: ({ node }) => node },
  { title: 'about', value: ({ subject }) => subject || '-', max: 40 },
  { title: 'detail', value: ({ detail }) => detail, max: 80 },
];

/** @param due when the next summary is due, by address */
function printNotifications(notifications: readonly LedgerEntry[], due: ReadonlyMap<string, Date> = new Map()): void {
  section('Notifications', notifications, [
    { title: 'to', value: (n) => n.to, max: 50 },
    { title: 'group', value: (n) => n.group ?? n.kind },
    { title: 'template', value: (n) => n.template },
    { title: 'state', value: (n) => n.state },
    { title: 'tries', value: (n) => String(n.attempts), right: true },
    { title: 'Message-ID', value: (n) => n.messageId || '-' },
    { title: 'reply or reason', value: (n) => answerOf(n, due.get(n.to)), max: 160 },
  ]);
}

/** @param due when the next summary for its address is due */
function answerOf({ reason, lastReply, state, nextAttempt, summary }: LedgerEntry, due?: Date): string {
  const next = state === 'queued' && nextAttempt !== undefined ? `next try ${nextAttempt.toISOString()}` : undefined;
  const waits = due === undefined ? undefined : `due ${due.toISOString()}`;
  const told = state !== 'folded' ? undefined : summary === undefined ? waits : `summary ${summary}`;
  return [reason, lastReply, next, told].filter((part) => part !== undefined).join('; ');
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
