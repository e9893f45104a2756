import { pipeline } from 'node:stream/promises';
import { createReadStream, existsSync } from 'node:fs';
import { withoutPasswords } from '../config/secrets.js';
import { formatDuration, formatSize } from '../config/units.js';
import type { CorruptItem } from '../delivery/corrupt-list.js';
import { replyLine } from '../delivery/reply.js';
import { emlOf, spoolPaths } from '../delivery/spool-folder.js';
import type { SpoolItem } from '../delivery/spool-item.js';
import { listing, readSpoolItem } from '../delivery/spool-list.js';
import { EXIT, UsageError } from './exit.js';
import { corruptJson, nextAttempt } from './queue.js';
import { belongsTo, keyOf, stateOf } from './queue-select.js';
import { loadSite } from './site-config.js';
import { eachCorruptOf, eachItemOf, spoolsOf } from './spools.js';
import { err, json, out, paint, printable, table } from './terminal.js';

export interface QueueShowOptions {
  readonly config?: string;
  readonly json?: boolean;
  readonly raw?: boolean;
}

/** `gatepost queue show ID [--raw]`: all that a message left in the spool, damaged items too. */
export async function showQueue(id: string, options: QueueShowOptions): Promise<void> {
  if (options.raw === true && options.json === true) throw new UsageError('--raw and --json exclude each other');
  const key = keyOf(id);
  const { config } = await loadSite(options.config);
  const spools = await spoolsOf(config.data);
  const items: SpoolItem[] = [];
  for await (const item of eachItemOf(spools, { keys: belongsTo(key) })) items.push(item);
  const corrupt: CorruptItem[] = [];
  for await (const item of eachCorruptOf(spools, belongsTo(key))) corrupt.push(item);
  if (items.length + corrupt.length === 0) {
    err(
      `There is no ${key} in the spool: it was delivered, given up or dropped, or never had to wait. ` +
        `What became of it: gatepost trace ${key.slice(0, 26)}`,
    );
    process.exitCode = EXIT.no;
  } else if (options.raw === true) await raw(spools, key, items, corrupt);
  else if (options.json === true) json([...items.map(itemJson), ...corrupt.map(corruptJson)]);
  else {
    const now = Date.now();
    for (const item of items) print(item, now);
    for (const item of corrupt) printCorrupt(item);
  }
}

async function raw(
  spools: readonly string[],
  key: string,
  items: readonly SpoolItem[],
  corrupt: readonly CorruptItem[],
): Promise<void> {
  const names = [...items.map(({ item }) => item), ...corrupt.map(({ name }) => name)];
  const chosen = names.length === 1 ? names[0] : names.find((name) => name === key);
  if (chosen === undefined) throw new UsageError(`there are several: ${names.join(', ')}; --raw shows one of them`);
  for (const spool of spools) {
    const found = await readSpoolItem(spool, chosen);
    if (found === undefined) continue;
    await pipeline(found.content.read(), process.stdout, { end: false });
    return;
  }
  const files = spools.map((spool) => emlOf(spoolPaths(spool).corrupt, chosen));
  const file = files.find((each) => existsSync(each));
  if (file === undefined || corrupt.find(({ name }) => name === chosen)?.size === undefined) {
    err(`The message of ${chosen} is missing.`);
    process.exitCode = EXIT.no;
    return;
  }
  await pipeline(createReadStream(file), process.stdout, { end: false });
}

/** An item in full; scripts rely on the keys. */
export function itemJson(item: SpoolItem): object {
  return {
    ...listing(item),
    traceId: item.traceId,
    state: stateOf(item),
    held: item.held ?? null,
    receivedAt: item.receivedAt,
    reason: item.reason ?? null,
    route: item.route === undefined ? null : withoutPasswords(item.route),
    attempts: item.attempts,
    nextAttempt: item.held === undefined ? item.nextAttempt : null,
    envelope: item.envelope,
    history: item.history,
  };
}

function print(item: SpoolItem, now: number): void {
  const { envelope } = item;
  const state = stateOf(item);
  const by = envelope.user === undefined ? '' : `, logged in as ${envelope.user}`;
  const facts: [string, string][] = [
    ['Spooled', `${item.time} (${formatDuration(Math.max(0, now - Date.parse(item.time)))} ago)`],
    ['From', `${envelope.sender || '<>'}, client ${envelope.client || '(this gateway)'} (${envelope.helo})${by}`],
    ['Size', formatSize(item.size)],
    ['State', state === 'held' ? `held since ${item.held ?? ''}` : state],
    ['Attempts', String(item.attempts)],
  ];
  if (state !== 'held') facts.push(['Next', `${item.nextAttempt} (${nextAttempt(item.nextAttempt, now)})`]);
  if (item.reason !== undefined) facts.push(['Reason', item.reason]);
  if (item.route !== undefined) facts.push(['Route', 'named by a rule']);
  out(paint('bold', item.item));
  for (const [title, value] of facts) out(`  ${title.padEnd(10)}  ${printable(value)}`);
  out();
  out(
    table(item.recipients, [
      { title: 'recipient', value: (r) => r.address },
      { title: 'state', value: (r) => r.state },
      { title: 'attempts', value: (r) => String(r.attempts), right: true },
      { title: 'hop', value: (r) => r.hop },
      {
        title: 'last reply',
        value: (r) => (r.lastReply === undefined ? '' : replyLine(r.lastReply)),
        max: 120,
      },
    ]).replace(/^/gm, '  '),
  );
  if (item.history.length > 0)
    out(
      `\n${table(item.history, [
        { title: 'attempt', value: (h) => h.time },
        { title: 'hop', value: (h) => h.hop },
        { title: 'replies', value: (h) => h.replies.join('; '), max: 160 },
      ]).replace(/^/gm, '  ')}`,
    );
  out();
}

function printCorrupt(item: CorruptItem): void {
  out(paint('bold', `${printable(item.name)} (damaged)`));
  const facts: [string, string][] = [
    ['Set aside', item.time.toISOString()],
    ['Why', item.reason],
    ['Now', item.problem ?? `whole: gatepost queue requeue ${item.name} puts it back`],
    ['From', item.sender === undefined ? 'unknown' : item.sender || '<>'],
    ['To', item.recipients.join(', ') || 'unknown'],
    ['Size', item.size === undefined ? 'the message is missing' : formatSize(item.size)],
    ['Files', item.files.join(', ')],
  ];
  for (const [title, value] of facts) out(`  ${title.padEnd(10)}  ${printable(value)}`);
  out();
}
