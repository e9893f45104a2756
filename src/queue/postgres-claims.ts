import type { PoolClient } from 'pg';
import { codeOf } from '../store/errors.js';
import type { Log } from '../telemetry/log.js';

/** What PostgreSQL answers to one who may not. */
const INSUFFICIENT_PRIVILEGE = '42501';

/** Due jobs that one claim puts forward at most. */
const AT_ONCE = 200;

/** How BullMQ puts forward what is due, in `move_to_active`. */
const ALL_THAT_IS_DUE =
  /WITH promoted AS \(\s*UPDATE job\s+SET state = 'waiting', delay_ms = 0\s+WHERE queue = p_queue\s+AND state = 'delayed'\s+AND process_at_ms <= p_now\s+RETURNING id\s*\)/;

const SOME_THAT_NOBODY_HAS = `WITH due AS MATERIALIZED (
      SELECT id FROM job
       WHERE queue = p_queue AND state = 'delayed' AND process_at_ms <= p_now
       ORDER BY process_at_ms
       LIMIT ${AT_ONCE} FOR UPDATE SKIP LOCKED
    ), promoted AS (
      UPDATE job SET state = 'waiting', delay_ms = 0 FROM due
       WHERE job.queue = p_queue AND job.id = due.id
      RETURNING job.id
    )`;

/**
 * Has claims keep out of each other's way. In BullMQ's own form (6.7) each claim puts forward all jobs that are due, in
 * whatever order it finds them, and waits for those that another claim has: when thousands become due at once, as after
 * an outage, two wait for each other until PostgreSQL ends one of them a second later, with all others behind them.
 * A function in another form, or one that belongs to somebody else, stays as it is.
 * @param client is of no use any more when this rejects
 * @param schema BullMQ's, migrated
 */
export async function easeClaims(client: PoolClient, schema: string, log: Log): Promise<void> {
  const { rows } = await client.query<{ text: string }>(
    `SELECT pg_get_functiondef(f.oid) AS text FROM pg_proc f JOIN pg_namespace n ON n.oid = f.pronamespace
     WHERE n.nspname = $1 AND f.proname = 'move_to_active'`,
    [schema],
  );
  for (const { text } of rows) {
    if (!ALL_THAT_IS_DUE.test(text)) continue;
    await client.query('BEGIN');
    try {
      // Two that replace a function at once hinder each other; the second does no harm.
      await client.query(`SELECT pg_advisory_xact_lock(hashtext('gatepost:' || $1))`, [schema]);
      await client.query(text.replace(ALL_THAT_IS_DUE, () => SOME_THAT_NOBODY_HAS));
      await client.query('COMMIT');
    } catch (error) {
      if (codeOf(error) !== INSUFFICIENT_PRIVILEGE) throw error;
      await client.query('ROLLBACK');
      log.warn(
        { schema },
        'jobs are slow when many become due at once: the functions of the job queue belong to another database user',
      );
    }
  }
}
