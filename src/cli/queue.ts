import { formatDuration, formatSize } from '../config/units.js';
import type { CorruptItem } from '../delivery/corrupt-list.js';
import type { SpoolItem } from '../delivery/spool-item.js';
import { listing, type SpoolListing } from '../delivery/spool-list.js';
import { UsageError } from './exit.js';
import { progress } from './progress.js';
import { keyOf, selection, stateOf, type SelectOptions } from './queue-select.js';
import { loadSite } from './site-config.js';
import { countSpools, eachCorruptOf, eachItemOf, spoolsOf } from './spools.js';
import { json, jsonText, out, table } from './terminal.js';

const SHOWN = 100;

export interface QueueListOptions extends SelectOptions {
  readonly config?: string;
  readonly json?: boolean;
  readonly all?: boolean;
  readonly limit?: string;
  readonly after?: string;
  readonly corrupt?: boolean;
}

/** `gatepost queue list`: reads the spool's files, so it works whether a gateway runs or not. */
export async function listQueue(options: QueueListOptions): Promise<void> {
  if (options.all === true && options.limit !== undefined) throw new UsageError('--all and --limit exclude each other');
  const limit = options.limit === undefined ? undefined : countOf(options.limit);
  const after = options.after === undefined ? undefined : keyOf(options.after);
  const now = Date.now();
  const { test, any } = selection(options, now);
  if (options.corrupt === true && (any || after !== undefined))
    throw new UsageError('--corrupt shows all damaged items: it goes with --limit, --all and --json only');
  const { config } = await loadSite(options.config);
  const spools = await spoolsOf(config.data);
  const most = options.all === true || (options.json === true && limit === undefined) ? Infinity : (limit ?? SHOWN);
  if (options.corrupt === true) {
    await listCorrupt(spools, most, options.json === true);
    return;
  }
  const bar = progress('items');
  const items = eachItemOf(spools, {
    ...(after === undefined ? {} : { after }),
    onProgress: (done, all) => bar.update(done, done / all),
  });
  const chosen = upTo(items, test, most + 1);
  if (options.json === true) {
    await printJson(chosen, most, () => bar.clear());
    return;
  }
  const found: Row[] = [];
  for await (const item of chosen) found.push({ ...listing(item), state: stateOf(item) });
  bar.clear();
  const shown = found.slice(0, most);
  if (shown.length === 0) {
    out(any || after !== undefined ? 'Nothing in the spool fits.' : 'Nothing waits in the spool of this node.');
    return;
  }
  out(table(shown, columns(now)));
  const more = found.length > most;
  const last = shown.at(-1)?.id ?? '';
  const size = shown.reduce((sum, i) => sum + i.size, 0);
  if (!more) out(`\n${shown.length} in all, ${formatSize(size)}`);
  else {
    const total = any || after !== undefined ? 'there are more' : `${await countSpools(spools)} in all`;
    out(`\n${total}; the oldest ${shown.length} are shown, --all shows all, --after ${last} the next ones`);
  }
}

type Row = SpoolListing & { readonly state: ReturnType<typeof stateOf> };

function columns(now: number): Parameters<typeof table<Row>>[1] {
  return [
    { title: 'id', value: (i) => i.id },
    { title: 'age', value: (i) => formatDuration(Math.max(0, now - Date.parse(i.time))), right: true },
    { title: 'size', value: (i) => formatSize(i.size), right: true },
    { title: 'sender', value: (i) => i.sender || '<>', max: 40 },
    { title: 'waiting', value: waitingOf, max: 40 },
    { title: 'next', value: (i) => nextOf(i, now) },
    { title: 'hop', value: (i) => i.hop },
    { title: 'last reply', value: lastReplyOf, max: 80 },
  ];
}

function waitingOf({ recipients }: SpoolListing): string {
  const waiting = recipients.filter(({ state }) => state === 'waiting').map(({ address }) => address);
  return waiting.slice(0, 5).join(', ');
}

/** Of somebody who waits: what became of the others is over. */
function lastReplyOf({ recipients }: SpoolListing): string {
  return recipients.find(({ state, lastReply }) => state === 'waiting' && lastReply !== null)?.lastReply ?? '';
}

function nextOf(row: Row, now: number): string {
  if (row.state === 'held') return 'held';
  const next = row.recipients.find(({ nextAttempt }) => nextAttempt !== null)?.nextAttempt ?? null;
  return `${nextAttempt(next, now)}${row.state === 'inspect' ? ' (scan)' : ''}`;
}

/** `now`, `in 5m`. @param now ms */
export function nextAttempt(time: string | null, now: number): string {
  if (time === null) return '-';
  const ms = Date.parse(time) - now;
  return ms <= 0 ? 'now' : `in ${formatDuration(ms)}`;
}

/** The shape of a damaged item in JSON: that of `queue list` as far as it can be read, and why it is there. */
export function corruptJson({ name, time, sender, size, recipients, reason, problem, files }: CorruptItem): object {
  return {
    id: name,
    time,
    sender: sender ?? null,
    size: size ?? null,
    hop: '',
    recipients: recipients.map((address) => ({ address })),
    reason,
    problem: problem ?? null,
    files,
  };
}

async function listCorrupt(spools: readonly string[], most: number, asJson: boolean): Promise<void> {
  const found: CorruptItem[] = [];
  for await (const item of eachCorruptOf(spools)) {
    found.push(item);
    if (found.length > most) break;
  }
  if (asJson) {
    json(found.slice(0, most).map(corruptJson));
    return;
  }
  if (found.length === 0) {
    out('No damaged items were set aside.');
    return;
  }
  out(
    table(found.slice(0, most), [
      { title: 'id', value: (i) => i.name },
      { title: 'set aside', value: (i) => i.time.toISOString() },
      { title: 'size', value: (i) => (i.size === undefined ? '-' : formatSize(i.size)), right: true },
      { title: 'sender', value: (i) => (i.sender === undefined ? '?' : i.sender || '<>'), max: 40 },
      { title: 'recipients', value: (i) => i.recipients.slice(0, 5).join(', ') || '?', max: 40 },
      { title: 'why', value: (i) => i.problem ?? `${i.reason} (whole again: it can be put back)`, max: 100 },
    ]),
  );
  out('\nOne in full: gatepost queue show ID; put back what has been repaired: gatepost queue requeue ID');
}

/** An array, written piece by piece: a large spool is not held in memory. */
async function printJson(items: AsyncIterable<SpoolItem>, most: number, before: () => void): Promise<void> {
  let count = 0;
  for await (const item of items) {
    if (count === most) break;
    before();
    const text = jsonText(listing(item)).replace(/^/gm, '  ');
    if (!process.stdout.write(`${count > 0 ? ',' : '['}\n${text}`)) await drained();
    count += 1;
  }
  before();
  out(count > 0 ? '\n]' : '[]');
}

async function* upTo(
  items: AsyncIterable<SpoolItem>,
  test: (item: SpoolItem) => boolean,
  most: number,
): AsyncGenerator<SpoolItem> {
  let count = 0;
  for await (const item of items) {
    if (!test(item)) continue;
    yield item;
    count += 1;
    if (count >= most) return;
  }
}

function countOf(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new UsageError(`--limit: "${text}" is not a number of items`);
  return Number(text);
}

function drained(): Promise<void> {
  return new Promise((resolve) => process.stdout.once('drain', resolve));
}
