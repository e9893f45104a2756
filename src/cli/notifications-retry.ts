import os from 'node:os';
import type { RetryAnswer } from '../store/notification-book-types.js';
import type { OpenStore } from '../store/open.js';
import { EXIT } from './exit.js';
import { findNotifications } from './notifications-view.js';
import { loadSite } from './site-config.js';
import { json, out, paint, printable } from './terminal.js';
import { withStore } from './with-store.js';

export interface RetryOptions {
  readonly config?: string;
  readonly json?: boolean;
  readonly again?: boolean;
}

interface Done {
  readonly id: string;
  readonly result: RetryAnswer;
}

const WORDS: Readonly<Record<RetryAnswer, string>> = {
  reopened: 'is tried again; `gatepost notifications show` tells how it goes',
  hurried: 'waits, and is tried at once',
  missing: 'is not in the ledger',
  sent: 'was sent: --again sends it a second time',
  folded: 'was folded into a summary: there is nothing to send',
  suppressed: 'was suppressed: there is nothing to send',
  spooled: 'is a DSN, which lies in the spool of its node: use `gatepost queue retry` there',
  gone: 'cannot be sent again: what it said is not kept any more',
};

/** `gatepost notifications retry`: asks in the store; a worker of any node does it. */
export async function retryNotifications(ids: readonly string[], options: RetryOptions): Promise<void> {
  const { config } = await loadSite(options.config);
  const done = await withStore<readonly Done[]>(
    config,
    async (store) => await retryAll(store, ids, options.again === true),
    () => ids.map((id) => ({ id, result: 'missing' })),
  );
  const good = done.every(({ result }) => result === 'reopened' || result === 'hurried');
  if (options.json === true) json(done);
  else
    for (const { id, result } of done) {
      const fine = result === 'reopened' || result === 'hurried';
      out(`${printable(id)} ${paint(fine ? 'green' : 'red', WORDS[result])}`);
    }
  process.exitCode = good ? EXIT.good : EXIT.no;
}

async function retryAll(store: OpenStore, ids: readonly string[], again: boolean): Promise<readonly Done[]> {
  const who = `${userName()}@${os.hostname()}`;
  const done: Done[] = [];
  for (const wanted of ids) {
    const found = await findNotifications(store, wanted);
    if (found.length === 0) done.push({ id: wanted, result: 'missing' });
    for (const { id } of found) done.push({ id, result: await store.notifications.retry(id, who, again, new Date()) });
  }
  return done;
}

/** A process may run as a number that has no name. */
function userName(): string {
  try {
    return os.userInfo().username;
  } catch {
    return String(process.getuid?.() ?? 'unknown');
  }
}
