import type { Database } from './database.js';
import type { StoredCall, WebhookStore } from './notification-book-types.js';

/** What webhooks are told of events, in a database. */
export function openWebhookStore(database: Database): WebhookStore {
  const { pool } = database;
  return {
    mark: async (hook) => {
      await database.ready();
      const { rows } = await pool.query<{ seq: string }>('SELECT seq FROM gatepost.webhook_mark WHERE hook = $1', [
        hook,
      ]);
      const [row] = rows;
      return row === undefined ? undefined : Number(row.seq);
    },

    claim: async (hook, before, next, calls) => {
      await database.ready();
      const client = await pool.connect();
      try {
        await client.query('BEGIN');
        const moved =
          before === undefined
            ? await client.query(
                'INSERT INTO gatepost.webhook_mark (hook, seq) VALUES ($1, $2) ON CONFLICT DO NOTHING',
                [hook, next],
              )
            : await client.query('UPDATE gatepost.webhook_mark SET seq = $3 WHERE hook = $1 AND seq = $2', [
                hook,
                before,
                next,
              ]);
        if (moved.rowCount === 1)
          for (const { id, time, call } of calls)
            await client.query(
              'INSERT INTO gatepost.webhook_call (id, hook, time, call) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING',
              [id, hook, time, call],
            );
        await client.query('COMMIT');
        return moved.rowCount === 1;
      } catch (error) {
        await client.query('ROLLBACK');
        throw error;
      } finally {
        client.release();
      }
    },

    owed: async (limit) => {
      await database.ready();
      const { rows } = await pool.query<StoredCall>(
        'SELECT id, hook, time, call FROM gatepost.webhook_call ORDER BY time, id LIMIT $1',
        [limit],
      );
      return rows;
    },

    waiting: async (hook) => {
      await database.ready();
      const { rows } = await pool.query<{ n: number }>(
        'SELECT count(*)::integer AS n FROM gatepost.webhook_call WHERE hook = $1',
        [hook],
      );
      return rows[0]?.n ?? 0;
    },

    settle: async (ids) => {
      await database.ready();
      await pool.query('DELETE FROM gatepost.webhook_call WHERE id = ANY ($1)', [[...ids]]);
    },
  };
}
