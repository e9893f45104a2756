import { formatSize } from '../config/units.js';
import { hasRunGateway } from '../gateway/nodes/identity.js';
import { release, type ReleaseResult } from '../gateway/release.js';
import { parseTraceId, type TraceId } from '../message/trace-id.js';
import type { OpenStore } from '../store/open.js';
import type { DeliveryRecord, QuarantineRecord } from '../store/types.js';
import { printDecisions } from './decisions.js';
import { EXIT, UsageError } from './exit.js';
import { itemJson } from './quarantine-list.js';
import { loadSite } from './site-config.js';
import { err, json, out, paint, printable, table } from './terminal.js';
import { withStore } from './with-store.js';

interface Common {
  readonly config?: string;
  readonly json?: boolean;
}

export interface ShowOptions extends Common {
  readonly raw?: boolean;
}

export interface ReleaseOptions extends Common {
  readonly to?: readonly string[];
  readonly again?: boolean;
}

/** `gatepost quarantine show ID [--raw]` */
export async function showQuarantine(id: string, options: ShowOptions): Promise<void> {
  if (options.raw === true && options.json === true) throw new UsageError('--raw and --json exclude each other');
  const traceId = idOf(id);
  const { config } = await loadSite(options.config);
  await withStore(
    config,
    async (store) => {
      const item = await store.quarantine.get(traceId);
      if (item === undefined) {
        missing(traceId);
        return;
      }
      if (options.raw === true) {
        for await (const piece of store.quarantine.read(traceId)) if (!process.stdout.write(piece)) await drained();
        return;
      }
      const deliveries = (await store.journal.find(traceId))?.deliveries ?? [];
      if (options.json === true) json(recordJson(item, deliveries));
      else print(item, deliveries);
    },
    () => missing(traceId),
  );
}

/** `gatepost quarantine release ID`: through the spool, not scanned again, never twice by accident. */
export async function releaseQuarantine(id: string, options: ReleaseOptions): Promise<void> {
  const traceId = idOf(id);
  const to = options.to ?? [];
  for (const address of to)
    if (!/^[^\s@<>]+@[^\s@<>]+$/.test(address)) throw new UsageError(`--to: "${address}" is not an address`);
  const { config } = await loadSite(options.config);
  await withStore(
    config,
    async (store) => {
      const result = (await hasRunGateway(config.data))
        ? await release(traceId, { config, store, to, again: options.again === true })
        : await notHere(config.data, store);
      if (options.json === true) json({ id: traceId, ...result });
      if (result.outcome === 'released') {
        if (options.json !== true)
          out(
            `Released ${traceId} to ${result.recipients.map(printable).join(', ')}: it is in the spool of ` +
              `${config.node.name} and delivered as soon as a gateway runs. See how it goes: gatepost trace ${traceId}`,
          );
        return;
      }
      process.exitCode = EXIT.no;
      if (options.json === true) return;
      if (result.outcome === 'missing') missing(traceId);
      else err(result.reason);
    },
    () => missing(traceId),
  );
}

/** What lies in the spool of a worker goes out nowhere, and is lost with its folder. */
async function notHere(data: string, { nodes }: OpenStore): Promise<ReleaseResult> {
  const gateways = (await nodes.list()).filter(({ roles }) => roles.includes('gateway')).map(({ name }) => name);
  return {
    outcome: 'refused',
    reason:
      `No gateway has run on ${data}: from its spool nothing would go out. ` +
      `Release it with the configuration of a gateway${gateways.length > 0 ? `: ${gateways.join(', ')}` : ''}.`,
  };
}

/** `gatepost quarantine delete ID...`: all that are there; exit 1 when one was not. */
export async function deleteQuarantine(ids: readonly string[], options: Common): Promise<void> {
  const traceIds = [...new Set(ids.map(idOf))];
  const { config } = await loadSite(options.config);
  const results = await withStore(
    config,
    async (store) => {
      const done: { id: TraceId; outcome: 'deleted' | 'missing' | 'releasing' }[] = [];
      for (const id of traceIds) done.push({ id, outcome: await store.quarantine.delete(id) });
      return done;
    },
    () => traceIds.map((id) => ({ id, outcome: 'missing' as const })),
  );
  if (options.json === true) json(results);
  for (const { id, outcome } of results) {
    if (outcome !== 'deleted') process.exitCode = EXIT.no;
    if (options.json === true) continue;
    if (outcome === 'deleted') out(`Deleted ${id}.`);
    else if (outcome === 'missing') missing(id);
    else err(`${id} is just being released and was not deleted: try again in a moment.`);
  }
}

function recordJson(item: QuarantineRecord, deliveries: readonly DeliveryRecord[]): object {
  const { client, helo, user, recipients } = item.envelope;
  return {
    ...itemJson(item),
    client,
    helo,
    user: user ?? null,
    envelopeRecipients: recipients.map((r) => r.address),
    decisions: item.decisions,
    releases: item.releases,
    deliveries,
  };
}

function print(item: QuarantineRecord, deliveries: readonly DeliveryRecord[]): void {
  const facts: [string, string][] = [
    ['Received', `${item.time.toISOString()} by ${item.node}`],
    ['From', `${item.envelope.sender || '<>'}, client ${item.envelope.client} (${item.envelope.helo})`],
    ['To', item.envelope.recipients.map((r) => r.address).join(', ')],
    ['Kept for', item.recipients.join(', ')],
    ['Subject', item.subject || '(none)'],
    ['Message-ID', item.messageId || '(none)'],
    ['Size', formatSize(item.size)],
    ['Rule', item.rules.join(', ')],
    ['State', item.state],
  ];
  for (const { time, recipients, node } of item.releases)
    facts.push(['Released', `${time.toISOString()} to ${recipients.join(', ')}, by way of ${node}`]);
  out(paint('bold', item.id));
  for (const [key, value] of facts) out(`  ${key.padEnd(10)}  ${printable(value)}`);
  section(
    'Findings',
    item.findings.filter(({ status }) => status !== 'clean'),
    [
      { title: 'finding', value: (f) => `${f.module}.${f.status}` },
      { title: 'name', value: (f) => f.name ?? '', max: 50 },
      { title: 'object', value: (f) => f.object ?? '(message)', max: 50 },
      { title: 'detail', value: (f) => f.detail ?? '', max: 80 },
    ],
  );
  printDecisions(item.decisions);
  section('Deliveries', deliveries, [
    { title: 'recipient', value: (d) => d.recipient },
    { title: 'state', value: (d) => d.state },
    { title: 'hop', value: (d) => d.hop },
    { title: 'time', value: (d) => d.time.toISOString() },
    { title: 'reply', value: (d) => d.reply, max: 100 },
  ]);
  const again = item.releases.length > 0 ? ' --again' : '';
  out(
    `\nThe original:  gatepost quarantine show ${item.id} --raw\n` +
      `Deliver it:    gatepost quarantine release ${item.id}${again}\n` +
      `Delete it:     gatepost quarantine delete ${item.id}`,
  );
}

function section<T>(title: string, rows: readonly T[], columns: Parameters<typeof table<T>>[1]): void {
  if (rows.length > 0) out(`\n${paint('bold', title)}\n${table(rows, columns).replace(/^/gm, '  ')}`);
}

function missing(id: TraceId): void {
  err(
    `There is no ${id} in the quarantine: it was never put aside, or is deleted. ` +
      `What became of the message: gatepost trace ${id}`,
  );
  process.exitCode = EXIT.no;
}

/** @throws UsageError */
function idOf(text: string): TraceId {
  const id = parseTraceId(text);
  if (id === undefined)
    throw new UsageError(
      `"${printable(text)}" is not a message ID: it has 26 letters and digits, as in the reply or the notification; ` +
        'gatepost quarantine list shows those that are there',
    );
  return id;
}

function drained(): Promise<void> {
  return new Promise((resolve) => process.stdout.once('drain', resolve));
}
