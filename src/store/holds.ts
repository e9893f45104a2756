import { randomUUID } from 'node:crypto';
import type { Database } from './database.js';
import type { SendingHolds } from './hold-types.js';

/** Who has what in hand, in a database, by its clock. */
export function openHolds(database: Database, holder: string = randomUUID()): SendingHolds {
  return {
    take: async (ids, span) => {
      await database.ready();
      const { rows } = await database.pool.query<{ id: string }>({
        name: 'gatepost-take-holds',
        // Always in the same order, or two would wait for each other.
        text: `INSERT INTO gatepost.sending_hold AS held (id, holder, until)
               SELECT id, $2::uuid, clock_timestamp() + $3::float8 * interval '1 millisecond'
               FROM (SELECT DISTINCT id FROM unnest($1::text[]) AS t (id) ORDER BY id) AS asked
               ON CONFLICT (id) DO UPDATE SET holder = excluded.holder, until = excluded.until
               WHERE held.holder = excluded.holder OR held.until <= clock_timestamp()
               RETURNING id`,
        values: [ids, holder, span],
      });
      const taken = new Set(rows.map(({ id }) => id));
      const others = ids.filter((id) => !taken.has(id));
      if (others.length === 0) return new Map();
      const { rows: held } = await database.pool.query<{ id: string; left: number }>(
        `SELECT id, (extract(epoch FROM until - clock_timestamp()) * 1000)::float8 AS left
         FROM gatepost.sending_hold WHERE id = ANY ($1::text[])`,
        [others],
      );
      const left = new Map(held.map((row) => [row.id, row.left]));
      // It may have been given back between the two.
      return new Map(others.map((id) => [id, Math.max(1, Math.ceil(left.get(id) ?? 1))]));
    },

    extend: async (ids, span) => {
      await database.ready();
      const { rows } = await database.pool.query<{ id: string }>(
        `UPDATE gatepost.sending_hold SET until = clock_timestamp() + $3::float8 * interval '1 millisecond'
         WHERE id = ANY ($1::text[]) AND holder = $2 RETURNING id`,
        [ids, holder, span],
      );
      return new Set(rows.map(({ id }) => id));
    },

    release: async (ids) => {
      await database.ready();
      await database.pool.query({
        name: 'gatepost-release-holds',
        text: 'DELETE FROM gatepost.sending_hold WHERE id = ANY ($1::text[]) AND holder = $2',
        values: [ids, holder],
      });
    },
  };
}
