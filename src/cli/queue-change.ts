import { createInterface } from 'node:readline/promises';
import type { QueueAction, QueueResult } from '../delivery/types.js';
import { openQueueOwner, type QueueOwner } from '../gateway/control/queue.js';
import { silentLog } from '../telemetry/log.js';
import { EXIT, UsageError } from './exit.js';
import { progress } from './progress.js';
import { keyOf, selection, type SelectOptions } from './queue-select.js';
import { loadSite } from './site-config.js';
import { eachItemOf, spoolsOf } from './spools.js';
import { err, json, out, printable } from './terminal.js';

export interface QueueChangeOptions extends SelectOptions {
  readonly config?: string;
  readonly json?: boolean;
  readonly all?: boolean;
  readonly bounce?: boolean;
  readonly yes?: boolean;
}

/** Items of one request: it is done in less time than a command waits for its answer. */
const AT_A_TIME = 50;
const SHOWN = 100;

const WORDS: Readonly<Record<QueueAction, string>> = {
  retry: 'is tried now',
  drop: 'dropped',
  hold: 'held',
  unhold: 'no longer held',
  requeue: 'put back',
};

/**
 * `gatepost queue retry|drop|hold|unhold|requeue`: the running gateway does it, as the spool is its own; when none runs,
 * this process takes the spool for as long as it takes.
 */
export async function changeQueue(
  action: QueueAction,
  names: readonly string[],
  options: QueueChangeOptions,
): Promise<void> {
  const { test, any } = selection(options, Date.now());
  const ids = action === 'requeue' ? names.map(nameOf) : names.map(keyOf);
  checkUse(action, ids, any, options.all === true);
  const { config } = await loadSite(options.config);
  const spools = await spoolsOf(config.data);
  // All at once is known to whoever owns the spool; all else is chosen here, from the files.
  const allNow = action === 'retry' && options.all === true && !any;
  const chosen = ids.length > 0 || allNow ? [...new Set(ids)] : await choose(spools, test);
  if (ids.length === 0 && !allNow && chosen.length === 0) {
    if (options.json === true) json([]);
    else out('Nothing in the spool fits.');
    return;
  }
  if (action === 'drop' && !(await agreed(chosen.length, options))) {
    err('Nothing was dropped.');
    process.exitCode = EXIT.no;
    return;
  }
  const owner = await openQueueOwner(config, silentLog());
  try {
    if (allNow) await retryAll(owner, options.json === true);
    else await inTurn(owner, action, chosen, options);
  } finally {
    const unwritten = await owner.close();
    if (unwritten !== undefined) err(`It is done, but gatepost trace will not show it: ${printable(unwritten)}`);
  }
}

async function retryAll(owner: QueueOwner, asJson: boolean): Promise<void> {
  const { count = 0 } = await owner.run({ action: 'retry', ids: [], all: true });
  if (asJson) json({ count });
  else out(`${count} ${count === 1 ? 'item' : 'items'} to be tried ${owner.running ? 'now' : 'at the next start'}.`);
}

async function inTurn(
  owner: QueueOwner,
  action: QueueAction,
  ids: readonly string[],
  { json: asJson, bounce }: QueueChangeOptions,
): Promise<void> {
  const bar = progress('items');
  const results: QueueResult[] = [];
  for (let start = 0; start < ids.length; start += AT_A_TIME) {
    const part = ids.slice(start, start + AT_A_TIME);
    const request = { action, ids: part, ...(bounce === true ? { bounce } : {}) };
    results.push(...(await owner.run(request)).results);
    bar.update(start + part.length, (start + part.length) / ids.length);
  }
  bar.clear();
  if (results.some(({ outcome }) => outcome !== 'done')) process.exitCode = EXIT.no;
  if (asJson === true) {
    json(results);
    return;
  }
  const done = results.filter(({ outcome }) => outcome === 'done');
  for (const { id, detail } of done.slice(0, SHOWN))
    out(
      `${id}  ${action === 'retry' && !owner.running ? 'is tried at the next start' : WORDS[action]}${suffix(detail)}`,
    );
  if (done.length > SHOWN) out(`... and ${done.length - SHOWN} more`);
  for (const result of results) if (result.outcome !== 'done') err(refusal(result, action));
}

function refusal({ id, outcome, detail }: QueueResult, action: QueueAction): string {
  const name = printable(id);
  if (outcome === 'missing') {
    const where =
      action === 'requeue' ? 'spool/corrupt; gatepost queue list --corrupt shows what is there' : 'the spool';
    return `There is no ${name} in ${where}`;
  }
  if (outcome === 'busy') return `${name} is being tried at this moment: nothing was done, try again`;
  return `${name}: ${printable(detail ?? 'it cannot be done')}`;
}

const suffix = (detail: string | undefined): string => (detail === undefined ? '' : ` (${printable(detail)})`);

/** @throws UsageError */
function checkUse(action: QueueAction, ids: readonly string[], any: boolean, all: boolean): void {
  const ways = [ids.length > 0, any || all].filter(Boolean).length;
  if (ways === 0)
    throw new UsageError(
      `which? gatepost queue ${action} takes IDs${action === 'requeue' ? '' : ', filters, or --all'}`,
    );
  if (ways > 1) throw new UsageError('either IDs or filters and --all, not both');
}

async function choose(spools: readonly string[], test: ReturnType<typeof selection>['test']): Promise<string[]> {
  const bar = progress('items');
  const keys: string[] = [];
  const walk = { onProgress: (done: number, count: number) => bar.update(done, done / count) };
  for await (const item of eachItemOf(spools, walk)) if (test(item)) keys.push(item.item);
  bar.clear();
  return keys;
}

/** Asks on a terminal before more than one item is dropped; a script says --yes or means what it says. */
async function agreed(count: number, { all, yes, bounce }: QueueChangeOptions): Promise<boolean> {
  if (yes === true || (count <= 1 && all !== true)) return true;
  if (!process.stdin.isTTY) {
    if (all === true) throw new UsageError('drop --all needs --yes where nobody can be asked');
    return true;
  }
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const told = bounce === true ? 'their senders are told' : 'nobody is told';
    const answer = await lines.question(`Drop ${count} items for good (${told})? [y/N] `);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    lines.close();
  }
}

/** A key or a file name in `corrupt`, never a path. @throws UsageError */
function nameOf(text: string): string {
  const name = text.trim().replace(/^(.*\/)?corrupt\//, '');
  if (/^[0-9A-Za-z][0-9A-Za-z._-]{0,150}$/.test(name)) return name;
  throw new UsageError(
    `"${printable(text).slice(0, 100)}" is neither an ID nor the name of a file in spool/corrupt; gatepost queue list --corrupt shows them`,
  );
}
