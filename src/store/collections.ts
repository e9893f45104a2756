import type { Selectable } from 'kysely';
import type { PoolClient } from 'pg';
import { inTransaction, lockAddresses, windowsOf } from './address-window.js';
import { foldedEntry } from './admission.js';
import type { Database, Tables } from './database.js';
import { toEntry } from './ledger.js';
import { writeRows } from './ledger-rows.js';
import type { Collection, CollectionStore, SendingRules } from './sending-types.js';
import { noteStorms } from './storms.js';
import type { LedgerEntry } from './types.js';

type Item = Selectable<Tables['gatepost.notification']> & { readonly was_counted: boolean; readonly body: string };

/** Collected mails in a database. */
export function openCollections(
  database: Database,
  folded: (entries: readonly LedgerEntry[]) => void,
): CollectionStore {
  return {
    dueCollections: async (now, limit) => {
      await database.ready();
      const { rows } = await database.pool.query<{ id: string }>(
        `SELECT id FROM gatepost.notification_collection WHERE due <= $1 AND NOT settled AND NOT separate
         ORDER BY due, id LIMIT $2`,
        [new Date(now), limit],
      );
      return rows.map(({ id }) => id);
    },

    startCollection: async (id, rules) => {
      const started = await inTransaction(database, async (client) => await start(client, id, rules));
      if (!Array.isArray(started)) return started;
      folded(started);
      return undefined;
    },

    settleCollection: async (id) => {
      await inTransaction(database, async (client) => await settle(client, id));
    },
  };
}

/** @returns the rows that were folded, where there was no room */
async function start(
  client: PoolClient,
  id: string,
  rules: SendingRules,
): Promise<Collection | LedgerEntry[] | undefined> {
  const { rows: found } = await client.query<{ address: string; due: Date }>(
    'SELECT address, due FROM gatepost.notification_collection WHERE id = $1 AND NOT settled',
    [id],
  );
  const [collection] = found;
  if (collection === undefined) return undefined;
  const { address } = collection;
  await lockAddresses(client, [address]);
  await client.query('UPDATE gatepost.notification_collection SET started = true WHERE id = $1', [id]);
  const { rows: items } = await client.query<Item>(
    `SELECT n.*, n.counted IS NOT NULL AS was_counted, c.body
     FROM gatepost.notification_collected AS c JOIN gatepost.notification AS n ON n.id = c.id
     WHERE c.collection = $1 AND n.state = 'queued' ORDER BY c.n`,
    [id],
  );
  if (items.length === 0) {
    await settle(client, id);
    return undefined;
  }
  const { rate, now } = rules;
  // One mail, however many are in it: the first stands for all.
  if (rate !== undefined && !items.some((item) => item.was_counted)) {
    const window = (await windowsOf(client, [address], rules)).get(address);
    if ((window?.count ?? 0) >= rate.count) {
      const over = items.map((item) => foldedEntry(toEntry(item), rules));
      await writeRows(
        client,
        over.map((entry) => ({ entry, folded: now })),
      );
      await noteStorms(client, new Map([[address, (window?.oldest ?? now) + rate.per]]), rules);
      await settle(client, id);
      return over;
    }
  }
  const entries = items.map((item) => ({ ...toEntry(item), attempts: item.attempts + 1 }));
  await writeRows(
    client,
    entries.map((entry, i) => ({ entry, ...(i === 0 ? { counted: now } : {}) })),
  );
  return { id, entries, bodies: items.map(({ body }) => body), since: collection.due.getTime() };
}

async function settle(client: PoolClient, id: string): Promise<void> {
  await client.query('UPDATE gatepost.notification_collection SET settled = true WHERE id = $1', [id]);
  await client.query('DELETE FROM gatepost.notification_collected WHERE collection = $1', [id]);
}
