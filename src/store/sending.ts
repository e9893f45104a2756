import type { PoolClient } from 'pg';
import { inTransaction, lockAddresses, windowsOf } from './address-window.js';
import { decide, type KnownMail, type OpenCollection } from './admission.js';
import { openCollections } from './collections.js';
import type { Database } from './database.js';
import { toText } from './json.js';
import { writeRows } from './ledger-rows.js';
import type { SendingStore } from './sending-types.js';
import { noteStorms, openStorms } from './storms.js';
import type { LedgerEntry, NotificationState } from './types.js';

/** Where workers ask what may be sent, in a database. */
export function openSending(database: Database): SendingStore {
  const listeners: ((entries: readonly LedgerEntry[]) => void)[] = [];
  const folded = (entries: readonly LedgerEntry[]): void => {
    if (entries.length > 0) for (const listener of listeners) listener(entries);
  };
  return {
    ...openStorms(database),
    ...openCollections(database, folded),
    onFolded: (listener) => void listeners.push(listener),

    admit: async (asked, rules) => {
      if (asked.length === 0) return [];
      const addresses = [...new Set(asked.map(({ address }) => toText(address)))];
      const decided = await inTransaction(database, async (client, ending) => {
        const waiting = asked.some(({ wait }) => wait !== undefined) && rules.interval > 0;
        // Each sees what was written until the lock was there.
        const [, known, windows, open] = await Promise.all([
          lockAddresses(client, addresses),
          knownMails(
            client,
            asked.map(({ entry }) => entry.id),
          ),
          windowsOf(client, addresses, rules),
          waiting ? openCollectionsOf(client, addresses, rules.now) : [],
        ]);
        const decisions = decide(asked, rules, known, windows, open);
        const { rows, collections, storms } = decisions;
        const bodies = rows.flatMap(({ entry, collection, body }) =>
          collection === undefined || body === undefined ? [] : [{ id: entry.id, collection, body: toText(body) }],
        );
        // In this order: bodies belong to their collections.
        ending.last = Promise.all([
          keepCollections(client, collections),
          writeRows(client, rows),
          keepBodies(client, bodies),
          noteStorms(client, storms, rules),
        ]);
        // A database that dies forgets that a mail was tried, not that it lies here, is told in a summary, or was sent.
        ending.durable = rows.some((row) => row.folded !== undefined || row.due !== undefined);
        return decisions;
      });
      folded(decided.rows.flatMap((row) => (row.folded === undefined ? [] : [row.entry])));
      return decided.admissions;
    },

    record: async (outcomes) => {
      if (outcomes.length === 0) return;
      await database.ready();
      await writeRows(database.pool, outcomes);
    },

    prune: async (before) => {
      await database.ready();
      await database.pool.query('DELETE FROM gatepost.notification_summary WHERE settled AND time < $1', [before]);
      await database.pool.query(
        'DELETE FROM gatepost.notification_collection WHERE (settled OR separate) AND due < $1',
        [before],
      );
      await database.pool.query('DELETE FROM gatepost.notification_storm WHERE due IS NULL AND told < $1', [before]);
    },
  };
}

async function knownMails(client: PoolClient, ids: readonly string[]): Promise<ReadonlyMap<string, KnownMail>> {
  const { rows } = await client.query<{
    id: string;
    state: NotificationState;
    attempts: number;
    time: Date;
    last_reply: string | null;
    counted: boolean;
    reopened_at: Date | null;
    due: Date | null;
    collection: string | null;
  }>({
    name: 'gatepost-known-mails',
    text: `SELECT id, state, attempts, time, last_reply, counted IS NOT NULL AS counted,
             reopened_at, due, collection
           FROM gatepost.notification WHERE id = ANY ($1::text[])`,
    values: [ids],
  });
  return new Map(
    rows.map((row) => [
      row.id,
      {
        state: row.state,
        attempts: row.attempts,
        first: row.time.getTime(),
        counted: row.counted,
        ...(row.last_reply === null ? {} : { lastReply: row.last_reply }),
        ...(row.due === null ? {} : { due: row.due.getTime() }),
        ...(row.reopened_at === null ? {} : { reopened: row.reopened_at.getTime() }),
        ...(row.collection === null ? {} : { together: row.collection }),
      },
    ]),
  );
}

async function openCollectionsOf(
  client: PoolClient,
  addresses: readonly string[],
  now: number,
): Promise<OpenCollection[]> {
  const { rows } = await client.query<{
    id: string;
    address: string;
    due: Date;
    separate: boolean;
    items: number;
    bytes: string;
  }>(
    `SELECT id, address, due, separate, items, bytes FROM gatepost.notification_collection
     WHERE address = ANY ($1::text[]) AND due > $2 AND NOT settled AND NOT started ORDER BY due, id`,
    [addresses, new Date(now)],
  );
  return rows.map((row) => ({ ...row, due: row.due.getTime(), bytes: Number(row.bytes) }));
}

async function keepCollections(client: PoolClient, collections: readonly OpenCollection[]): Promise<void> {
  await Promise.all(
    collections.map(
      async ({ id, address, due, separate, items, bytes }) =>
        await client.query(
          `INSERT INTO gatepost.notification_collection (id, address, due, separate, items, bytes)
           VALUES ($1, $2, $3, $4, $5, $6)
           ON CONFLICT (id) DO UPDATE SET items = excluded.items, bytes = excluded.bytes`,
          [id, toText(address), new Date(due), separate, items, bytes],
        ),
    ),
  );
}

async function keepBodies(
  client: PoolClient,
  bodies: readonly { readonly id: string; readonly collection: string; readonly body: string }[],
): Promise<void> {
  if (bodies.length === 0) return;
  await client.query(
    `INSERT INTO gatepost.notification_collected (id, collection, body)
     SELECT id, collection, body FROM unnest($1::text[], $2::text[], $3::text[]) AS t (id, collection, body)
     ON CONFLICT (id) DO NOTHING`,
    [bodies.map(({ id }) => id), bodies.map(({ collection }) => collection), bodies.map(({ body }) => body)],
  );
}
