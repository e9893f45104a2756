import { loadConfig } from '../config/load.js';
import { formatSize } from '../config/units.js';
import { release } from '../gateway/release.js';
import { parseTraceId, type TraceId } from '../message/trace-id.js';
import type { QuarantineItem } from '../store/types.js';
import { EXIT, UsageError } from './exit.js';
import { err, json, out, paint, printable, table } from './terminal.js';
import { withStore } from './with-store.js';

const SHOWN = 100;
const NOTHING = 'The quarantine is empty.';

interface Common {
  readonly config?: string;
  readonly json?: boolean;
}

export interface ListOptions extends Common {
  readonly rule?: string;
  readonly finding?: string;
  readonly sender?: string;
  readonly recipient?: string;
  readonly since?: string;
  readonly until?: string;
  readonly all?: boolean;
}

export interface ReleaseOptions extends Common {
  readonly to?: readonly string[];
  readonly again?: boolean;
}

/** `gatepost quarantine list` */
export async function listQuarantine(options: ListOptions): Promise<void> {
  const { config } = await loadConfig(options.config);
  const everything = options.all === true || options.json === true;
  const { rule, finding, sender, recipient } = options;
  const filter = {
    ...(rule === undefined ? {} : { rule }),
    ...(finding === undefined ? {} : { finding }),
    ...(sender === undefined ? {} : { sender }),
    ...(recipient === undefined ? {} : { recipient }),
    ...(options.since === undefined ? {} : { since: timeOf('--since', options.since) }),
    ...(options.until === undefined ? {} : { until: timeOf('--until', options.until) }),
    ...(everything ? {} : { limit: SHOWN + 1 }),
  };
  const items = await withStore<readonly QuarantineItem[]>(
    config,
    async (store) => await store.quarantine.list(filter),
    () => [],
  );
  if (options.json === true) {
    json(items.map(itemJson));
    return;
  }
  if (items.length === 0) {
    out(Object.keys(filter).length > (everything ? 0 : 1) ? 'Nothing in the quarantine fits.' : NOTHING);
    return;
  }
  const shown = everything ? items : items.slice(0, SHOWN);
  out(
    table(shown, [
      { title: 'id', value: (i) => i.id },
      { title: 'time', value: (i) => i.time.toISOString().slice(0, 19).replace('T', ' ') },
      { title: 'sender', value: (i) => i.envelope.sender || '<>', max: 40 },
      { title: 'recipients', value: (i) => i.recipients.join(', '), max: 40 },
      { title: 'size', value: (i) => formatSize(i.size), right: true },
      { title: 'rule', value: (i) => i.rules.join(', ') },
      { title: 'state', value: (i) => i.state },
      { title: 'subject', value: (i) => i.subject, max: 60 },
    ]),
  );
  if (items.length > shown.length) out(`(the newest ${SHOWN}; --all shows all)`);
}

/** `gatepost quarantine show ID [--raw]` */
export async function showQuarantine(id: string, options: Common & { readonly raw?: boolean }): Promise<void> {
  const { config } = await loadConfig(options.config);
  const traceId = idOf(id);
  await withStore(
    config,
    async (store) => {
      const item = await store.quarantine.get(traceId);
      if (item === undefined) missing(traceId);
      else if (options.raw === true) {
        for await (const piece of store.quarantine.read(traceId)) if (!process.stdout.write(piece)) await drained();
      } else if (options.json === true) json(itemJson(item));
      else print(item);
    },
    () => missing(traceId),
  );
}

/** `gatepost quarantine release ID`: through the spool, not scanned again, never twice by accident. */
export async function releaseQuarantine(id: string, options: ReleaseOptions): Promise<void> {
  const { config } = await loadConfig(options.config);
  const traceId = idOf(id);
  const to = options.to ?? [];
  for (const address of to)
    if (!/^[^\s@]+@[^\s@]+$/.test(address)) throw new UsageError(`--to: "${address}" is not an address`);
  await withStore(
    config,
    async (store) => {
      const result = await release(traceId, { config, store, to, again: options.again === true });
      if (options.json === true) json({ id: traceId, ...result });
      if (result.outcome === 'released') {
        if (options.json !== true)
          out(
            `Released ${traceId} to ${result.recipients.join(', ')}: it is in the spool and delivered as soon as a gateway runs.`,
          );
        return;
      }
      process.exitCode = EXIT.no;
      if (options.json !== true) err(result.reason);
    },
    () => missing(traceId),
  );
}

function itemJson(item: QuarantineItem): object {
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

function print(item: QuarantineItem): void {
  const facts: [string, string][] = [
    ['Received', `${item.time.toISOString()} by ${item.node}`],
    ['From', `${item.envelope.sender || '<>'}, client ${item.envelope.client}`],
    ['To', item.envelope.recipients.map((r) => r.address).join(', ')],
    ['Kept for', item.recipients.join(', ')],
    ['Subject', item.subject || '(none)'],
    ['Message-ID', item.messageId || '(none)'],
    ['Size', formatSize(item.size)],
    ['Rule', item.rules.join(', ')],
    ['State', item.state],
  ];
  out(paint('bold', item.id));
  for (const [key, value] of facts) out(`  ${key.padEnd(10)}  ${printable(value)}`);
  for (const f of item.findings.filter((one) => one.status !== 'clean')) {
    out(`  Finding     ${printable(`${f.module}.${f.status} ${f.name ?? ''} ${f.object ?? ''}`.trim())}`);
  }
  out(`\nThe original: gatepost quarantine show ${item.id} --raw; deliver it: gatepost quarantine release ${item.id}`);
}

function missing(id: TraceId): void {
  err(`There is no ${id} in the quarantine.`);
  process.exitCode = EXIT.no;
}

function idOf(text: string): TraceId {
  const id = parseTraceId(text);
  if (id === undefined)
    throw new UsageError(
      `"${text}" is not a message ID: it has 26 letters and digits, as in the reply or the notification`,
    );
  return id;
}

function timeOf(option: string, text: string): Date {
  const time = Date.parse(text);
  if (Number.isNaN(time))
    throw new UsageError(`${option}: "${text}" is not a time; write it as 2026-11-21 or 2026-11-21T17:05:00Z`);
  return new Date(time);
}

function drained(): Promise<void> {
  return new Promise((resolve) => process.stdout.once('drain', resolve));
}
