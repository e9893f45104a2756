import { setTimeout as sleep } from 'node:timers/promises';
import type { PoolClient } from 'pg';
import type { Database } from './database.js';
import { CLAIM_LASTS } from './quarantine-release.js';
import { ulidFloor } from './ulid-floor.js';
import type { Deleted, Retention, RetentionLimits } from './types.js';

/** Any number; the same for all nodes, so that only one of them deletes at a time. */
const RETENTION_LOCK = 4_811_220_702;
/** Rows of the journal that one statement deletes. */
const ROWS = 1000;
/** Originals that one statement deletes; each may be tens of megabytes. */
const ORIGINALS = 20;
/** Days for which counters are kept one by one; older ones are added up. */
const COUNTER_DAYS = 400;

/** How a pass deletes one batch. @returns how much of it was deleted, and whether there may be more */
type Batch = (client: PoolClient) => Promise<Deleted & { readonly more: boolean }>;

/**
 * Retention in a database. Each batch is a statement of its own that holds its locks for a moment: a journal of
 * millions of lines is written on meanwhile.
 */
export function openRetention(database: Database): Retention {
  return {
    run: async (limits, signal) => {
      await database.ready();
      const client = await database.pool.connect();
      let sound = false;
      try {
        const { rows } = await client.query<{ mine: boolean }>('SELECT pg_try_advisory_lock($1) AS mine', [
          RETENTION_LOCK,
        ]);
        if (rows[0]?.mine !== true) {
          sound = true;
          return undefined;
        }
        const aged = await all(client, agedOriginals(limits), signal);
        const oversize = await all(client, oversizedOriginals(limits), signal);
        let journal = 0;
        for (const batch of journalBatches(limits)) journal += (await all(client, batch, signal)).items;
        await foldCounters(client, limits.now);
        await client.query('SELECT pg_advisory_unlock($1)', [RETENTION_LOCK]);
        sound = true;
        return { journal, aged, oversize };
      } finally {
        // The lock goes with its connection.
        client.release(!sound);
      }
    },
  };
}

async function all(client: PoolClient, batch: Batch, signal: AbortSignal | undefined): Promise<Deleted> {
  let items = 0;
  let bytes = 0;
  for (;;) {
    if (signal?.aborted === true) return { items, bytes };
    const begun = performance.now();
    const done = await batch(client);
    items += done.items;
    bytes += done.bytes;
    if (!done.more) return { items, bytes };
    // At most half of the time is ours: others write meanwhile.
    await sleep(Math.min(1000, performance.now() - begun));
  }
}

const FREE = `(state <> 'releasing' OR claimed IS NULL OR claimed < now() - interval '${CLAIM_LASTS}')`;

function agedOriginals({ now, quarantineAge }: RetentionLimits): Batch {
  return async (client) => {
    const { rows } = await client.query<{ size: string }>(
      `DELETE FROM gatepost.quarantine WHERE id IN (
         SELECT id FROM gatepost.quarantine WHERE time < $1 AND ${FREE}
         ORDER BY time, id LIMIT ${ORIGINALS} FOR UPDATE SKIP LOCKED) RETURNING size`,
      [new Date(now.getTime() - quarantineAge)],
    );
    return { ...sumOf(rows), more: rows.length === ORIGINALS };
  };
}

/** The oldest ones, as many as are needed to come back to the size. */
function oversizedOriginals({ quarantineSize }: RetentionLimits): Batch {
  return async (client) => {
    const { rows } = await client.query<{ size: string; excess: string }>(
      `WITH total AS (SELECT sum(bytes) - $1::numeric AS excess FROM gatepost.quarantine_size),
       oldest AS (
         SELECT id, time, size FROM gatepost.quarantine WHERE ${FREE} AND (SELECT excess FROM total) > 0
         ORDER BY time, id LIMIT ${ORIGINALS} FOR UPDATE SKIP LOCKED),
       summed AS (SELECT id, sum(size) OVER (ORDER BY time, id) - size AS before FROM oldest)
       DELETE FROM gatepost.quarantine
       WHERE id IN (SELECT id FROM summed, total WHERE before < excess)
       RETURNING size, (SELECT excess FROM total) AS excess`,
      [quarantineSize],
    );
    const done = sumOf(rows);
    return { ...done, more: rows.length > 0 && done.bytes < Number(rows[0]?.excess ?? 0) };
  };
}

/** Messages, then the deliveries of messages of that time, then notifications that nothing is to become of any more. */
function journalBatches({ now, journalAge }: RetentionLimits): Batch[] {
  const before = new Date(now.getTime() - journalAge);
  const statements: [string, unknown[]][] = [
    [
      `DELETE FROM gatepost.message WHERE id IN (
         SELECT id FROM gatepost.message WHERE time < $1 ORDER BY time LIMIT ${ROWS})`,
      [before],
    ],
    // The beginning of an ID is its time: the index on the message finds the old ones.
    [
      `DELETE FROM gatepost.delivery WHERE seq IN (
         SELECT seq FROM gatepost.delivery WHERE message < $2 AND time < $1 ORDER BY message LIMIT ${ROWS})`,
      [before, ulidFloor(before.getTime())],
    ],
    [
      `DELETE FROM gatepost.notification WHERE id IN (
         SELECT id FROM gatepost.notification WHERE time < $1 AND state <> 'queued' ORDER BY time LIMIT ${ROWS})`,
      [before],
    ],
  ];
  return statements.map(([text, values]) => async (client) => {
    const { rowCount } = await client.query(text, values);
    return { items: rowCount ?? 0, bytes: 0, more: rowCount === ROWS };
  });
}

/** Days of long ago become one sum; marks of batches that can come no second time go. */
async function foldCounters(client: PoolClient, now: Date): Promise<void> {
  await client.query(
    `WITH old AS (
       DELETE FROM gatepost.rule_count WHERE day < $1::date - ${COUNTER_DAYS} AND day > '-infinity' RETURNING *)
     INSERT INTO gatepost.rule_count AS c (rule, response, day, matched, decided, audited, last_hit)
     SELECT rule, response, '-infinity', sum(matched), sum(decided), sum(audited), max(last_hit)
     FROM old GROUP BY rule, response ORDER BY rule, response
     ON CONFLICT (rule, response, day) DO UPDATE SET
       matched = c.matched + EXCLUDED.matched, decided = c.decided + EXCLUDED.decided,
       audited = c.audited + EXCLUDED.audited, last_hit = greatest(c.last_hit, EXCLUDED.last_hit)`,
    [now.toISOString().slice(0, 10)],
  );
  await client.query(`DELETE FROM gatepost.rule_batch WHERE time < now() - interval '2 days'`);
}

function sumOf(rows: readonly { readonly size: string }[]): Deleted {
  return { items: rows.length, bytes: rows.reduce((sum, { size }) => sum + Number(size), 0) };
}
