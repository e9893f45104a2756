import { loadConfig } from '../config/load.js';
import { formatSize } from '../config/units.js';
import { parseTraceId } from '../message/trace-id.js';
import type { JournalEntry, LedgerEntry } from '../store/types.js';
import { EXIT } from './exit.js';
import { err, json, out, paint, printable, table } from './terminal.js';
import { withStore } from './with-store.js';

interface Story {
  readonly entry: JournalEntry;
  readonly notifications: readonly LedgerEntry[];
}

/** `gatepost trace`: the whole story of a message, by its trace ID or its Message-ID. */
export async function trace(id: string, options: { readonly config?: string; readonly json?: boolean }): Promise<void> {
  const { config } = await loadConfig(options.config);
  const stories = await withStore<readonly Story[]>(
    config,
    async (store) => {
      const traceId = parseTraceId(id.replace(/\.\w+$/, ''));
      const found = traceId === undefined ? undefined : await store.journal.find(traceId);
      const entries = found === undefined ? await store.journal.findByMessageId(id.replace(/^<(.*)>$/, '$1')) : [found];
      return await Promise.all(
        entries.map(async (entry) => ({ entry, notifications: await store.ledger.ofMessage(entry.id) })),
      );
    },
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

/** The shape that scripts rely on. */
function toJson({ entry, notifications }: Story): object {
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
  return { ...entry, decisions, notifications: notifications.map(notificationJson) };
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

function print({ entry, notifications }: Story): void {
  const facts: [string, string][] = [
    ['Received', `${entry.time.toISOString()} by ${entry.node}`],
    ['From', `${entry.sender || '<>'}, client ${entry.client} (${entry.helo})`],
    ['To', entry.recipients.join(', ')],
    ['Subject', entry.subject || '(none)'],
    ['Message-ID', entry.messageId || '(none)'],
    ['Size', formatSize(entry.size)],
    ['Reply', entry.reply],
  ];
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
  for (const { recipient, decision, considered, changes } of entry.decisions) {
    out(`\n${paint('bold', `Decision for ${printable(recipient)}`)}: ${decision.action} by ${decision.rule}`);
    for (const fired of decision.fired) out(`  because   ${printable(fired.name)} (${fired.action})`);
    if (decision.quarantine) out('  kept      in the quarantine');
    for (const change of changes) out(`  changed   ${printable(change)}`);
    for (const note of decision.notes) out(`  note      ${printable(note)}`);
    for (const c of considered.filter((one) => !one.matched)) out(`  not ${c.rule}: ${printable(c.why)}`);
  }
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

function section<T>(title: string, rows: readonly T[], columns: Parameters<typeof table<T>>[1]): void {
  out(`\n${paint('bold', title)}${rows.length === 0 ? ': none' : ''}`);
  if (rows.length > 0) out(table(rows, columns).replace(/^/gm, '  '));
}
