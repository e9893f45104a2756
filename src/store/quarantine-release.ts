import type { TraceId } from '../message/trace-id.js';
import type { Database } from './database.js';
import { toJsonb, toText } from './json.js';
import type { QuarantineRelease } from './types.js';

/** How long a claim keeps an item from being deleted: a release that takes longer was given up. */
export const CLAIM_LASTS = '1 hour';

/** See Quarantine.claim. */
export async function claim(database: Database, id: TraceId, key: string, again: boolean): Promise<boolean> {
  await database.ready();
  const { rowCount } = await database.pool.query(
    `UPDATE gatepost.quarantine SET state = 'releasing', claim = $2, claimed = now()
     WHERE id = $1 AND (state <> 'released' AND releases = '[]' OR $3)`,
    [id, key, again],
  );
  return rowCount === 1;
}

/** See Quarantine.unclaim. */
export async function unclaim(database: Database, id: TraceId, key: string): Promise<void> {
  await database.pool.query(
    `UPDATE gatepost.quarantine
     SET state = CASE WHEN releases = '[]' THEN 'stored' ELSE 'released' END, claim = NULL, claimed = NULL
     WHERE id = $1 AND claim = $2`,
    [id, key],
  );
}

/**
 * See Quarantine.released. One statement: the item's state and the records of its journal are there together or not at
 * all.
 */
export async function released(
  database: Database,
  id: TraceId,
  key: string,
  release: QuarantineRelease,
): Promise<boolean> {
  const { rows } = await database.pool.query(
    `WITH done AS (
       UPDATE gatepost.quarantine
       SET state = 'released', claim = NULL, claimed = NULL, releases = releases || $3::jsonb
       WHERE id = $1 AND claim = $2 AND state = 'releasing' RETURNING id
     ), recorded AS (
       INSERT INTO gatepost.delivery (message, recipient, item, state, hop, reply, time, digest)
       SELECT id, r, $4::text, 'released', '', 'released from the quarantine by ' || $5::text, ($6::text)::timestamptz,
              md5(jsonb_build_array(id, r, $4::text, 'released', $6::text)::text)::uuid
       FROM done, unnest($7::text[]) r
       ON CONFLICT DO NOTHING
     )
     SELECT FROM done`,
    [
      id,
      key,
      toJsonb([release]),
      release.item,
      release.node,
      release.time.toISOString(),
      release.recipients.map(toText),
    ],
  );
  return rows.length === 1;
}

/** See Quarantine.delete. */
export async function deleteItem(database: Database, id: TraceId): Promise<'deleted' | 'missing' | 'releasing'> {
  await database.ready();
  const { rowCount } = await database.pool.query(
    `DELETE FROM gatepost.quarantine
     WHERE id = $1 AND (state <> 'releasing' OR claimed IS NULL OR claimed < now() - $2::interval)`,
    [id, CLAIM_LASTS],
  );
  if (rowCount === 1) return 'deleted';
  const { rows } = await database.pool.query('SELECT FROM gatepost.quarantine WHERE id = $1', [id]);
  return rows.length === 0 ? 'missing' : 'releasing';
}
