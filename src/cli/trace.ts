import { loadConfig } from '../config/load.js';
import { formatSize } from '../config/units.js';
import { parseTraceId } from '../message/trace-id.js';
import type { JournalEntry, LedgerEntry, QuarantineRecord } from '../store/types.js';
import type { OpenStore } from '../store/open.js';
import { printDecisions } from './decisions.js';
import { EXIT } from './exit.js';
import { err, json, out, paint, printable, table } from './terminal.js';
import { withStore } from './with-store.js';

interface Story {
  readonly entry: JournalEntry;
  readonly notifications: readonly LedgerEntry[];
  /** Absent where the message is not in the quarantine (any more). */
  readonly quarantine?: QuarantineRecord;
}

/** `gatepost trace`: the whole story of a message, by its trace ID or its Message-ID. */
export async function trace(id: string, options: { readonly config?: string; readonly json?: boolean }): Promise<void> {
  const { config } = await loadConfig(options.config);
  const stories = await withStore<readonly Story[]>(
    config,
    async (store) => await find(store, id),
    () => [],
  );
  const [first] = stories;
  if (first === undefined) {
    err(`No message with the ID ${printable(id)} is in the journal.`);
    process.exitCode = EXIT.no;
    return;
  }
  if (options.json === true) {
    json(toJson(first));
    return;
  }
  for (const story of stories) print(story);
}

async function find(store: OpenStore, id: string): Promise<readonly Story[]> {
  const traceId = parseTraceId(id.replace(/\.\w+$/, ''));
  const found = traceId === undefined ? undefined : await store.journal.find(traceId);
  if (found === undefined && traceId !== undefined) {
    const kept = await store.quarantine.get(traceId);
    if (kept !== undefined) return [await tell(store, entryOf(kept), kept)];
  }
  const entries = found === undefined ? await store.journal.findByMessageId(id.replace(/^<(.*)>$/, '$1')) : [found];
  return await Promise.all(
    entries.map(async (entry) => await tell(store, entry, await store.quarantine.get(entry.id))),
  );
}

async function tell(store: OpenStore, entry: JournalEntry, quarantine: QuarantineRecord | undefined): Promise<Story> {
  const notifications = await store.ledger.ofMessage(entry.id);
  return { entry, notifications, ...(quarantine === undefined ? {} : { quarantine }) };
}

/** What the quarantine still knows of a message whose journal row is gone, or was never written. */
function entryOf(item: QuarantineRecord): JournalEntry {
  const { id, time, node, envelope, subject, messageId, size, findings, decisions } = item;
  return {
    id,
    time,
    node,
    client: envelope.client,
    helo: envelope.helo,
    sender: envelope.sender,
    recipients: envelope.recipients.map((r) => r.address),
    subject,
    messageId,
    size,
    findings,
    modules: [],
    decisions,
    audit: [],
    deliveries: [],
    reply: '(the journal does not know this message any more; this is from the quarantine)',
  };
}

/** The shape that scripts rely on. */
function toJson({ entry, notifications, quarantine }: Story): object {
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

function notificationJson(n: LedgerEntry): object {
  return {
    id: n.id,
    kind: n.kind,
    traceId: n.traceId ?? null,
    rule: n.rule ?? null,
    group: n.group ?? null,
    to: n.to,
    template: n.template,
    state: n.state,
    ...(n.reason === undefined ? {} : { reason: n.reason }),
    attempts: n.attempts,
    messageId: n.messageId,
    lastReply: n.lastReply ?? null,
  };
}

function print({ entry, notifications, quarantine }: Story): void {
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
    { title: 'state', value: (d) => d.state },
    { title: 'hop', value: (d) => d.hop },
    { title: 'time', value: (d) => d.time.toISOString() },
    { title: 'reply', value: (d) => d.reply, max: 100 },
  ]);
  section('Notifications', notifications, [
    { title: 'to', value: (n) => n.to },
    { title: 'group', value: (n) => n.group ?? n.kind },
    { title: 'template', value: (n) => n.template },
    { title: 'state', value: (n) => n.state },
    { title: 'reply or reason', value: (n) => n.reason ?? n.lastReply ?? '', max: 100 },
  ]);
}

function quarantineText({ state, recipients, releases }: QuarantineRecord): string {
  const kept = `${state}, for ${recipients.join(', ')}`;
  return [kept, ...releases.map((r) => `released ${r.time.toISOString()} to ${r.recipients.join(', ')}`)].join('; ');
}

function section<T>(title: string, rows: readonly T[], columns: Parameters<typeof table<T>>[1]): void {
  out(`\n${paint('bold', title)}${rows.length === 0 ? ': none' : ''}`);
  if (rows.length > 0) out(table(rows, columns).replace(/^/gm, '  '));
}
