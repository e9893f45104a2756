import { sql } from 'kysely';
import type { TraceId } from '../message/trace-id.js';
import type { Database, Tables } from './database.js';
import { StoreError } from './errors.js';
import { toJsonb, toText } from './json.js';
import type { Quarantine, QuarantineItem, QuarantineState } from './types.js';
import type { Selectable } from 'kysely';

/** Bytes of one row of an original. */
export const CHUNK_SIZE = 256 * 1024;
const LIST_MAX = 10_000;

/** The quarantine in a database: a row of metadata for each message, and its bytes in rows of 256 KiB. */
export function openQuarantine(database: Database): Quarantine {
  const { pool, db } = database;
  return {
    put: async (item, bytes) => {
      await database.ready();
      const client = await pool.connect();
      let sound = false;
      try {
        await client.query('BEGIN');
        const { rowCount } = await client.query(
          `INSERT INTO gatepost.quarantine
             (id, time, node, envelope, recipients, subject, message_id, size, rules, findings, state)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING`,
          [
            item.id,
            item.time,
            item.node,
            toJsonb(item.envelope),
            item.recipients.map(toText),
            toText(item.subject),
            toText(item.messageId),
            item.size,
            item.rules.map(toText),
            toJsonb(item.findings),
            item.state,
          ],
        );
        if (rowCount === 1) {
          let n = 0;
          for await (const chunk of chunksOf(bytes, CHUNK_SIZE)) {
            await client.query({
              name: 'gatepost-quarantine-chunk',
              text: 'INSERT INTO gatepost.quarantine_chunk (id, n, bytes) VALUES ($1, $2, $3)',
              values: [item.id, n, chunk],
            });
            n += 1;
          }
        }
        await client.query('COMMIT');
        sound = true;
      } finally {
        // A connection with a broken transaction is thrown away: the server rolls it back.
        client.release(!sound);
      }
    },

    list: async (filter = {}) => {
      await database.ready();
      let query = db.selectFrom('gatepost.quarantine').selectAll();
      if (filter.rule !== undefined) query = query.where(sql<boolean>`${filter.rule} = ANY (rules)`);
      if (filter.finding !== undefined)
        query = query.where(sql<boolean>`EXISTS (SELECT FROM jsonb_array_elements(findings) f
          WHERE ${filter.finding} IN (f->>'module', f->>'status', f->>'name', (f->>'module') || '.' || (f->>'status')))`);
      if (filter.sender !== undefined)
        query = query.where(sql<boolean>`lower(envelope->>'sender') = lower(${filter.sender})`);
      if (filter.recipient !== undefined)
        query = query.where(sql<boolean>`lower(${filter.recipient}) IN (SELECT lower(r) FROM unnest(recipients) r)`);
      if (filter.since !== undefined) query = query.where('time', '>=', filter.since);
      if (filter.until !== undefined) query = query.where('time', '<', filter.until);
      const rows = await query
        .orderBy('time', 'desc')
        .orderBy('id', 'desc')
        .limit(Math.min(filter.limit ?? LIST_MAX, LIST_MAX))
        .execute();
      return rows.map(toItem);
    },

    get: async (id) => {
      await database.ready();
      const row = await db.selectFrom('gatepost.quarantine').selectAll().where('id', '=', id).executeTakeFirst();
      return row === undefined ? undefined : toItem(row);
    },

    read: (id) => readChunks(database, id),

    transition: async (id, from, to) => {
      await database.ready();
      const { numUpdatedRows } = await db
        .updateTable('gatepost.quarantine')
        .set({ state: to })
        .where('id', '=', id)
        .where('state', 'in', from.length === 0 ? [sql<QuarantineState>`NULL`] : [...from])
        .executeTakeFirst();
      return numUpdatedRows > 0n;
    },

    delete: async (id) => {
      await database.ready();
      const { numDeletedRows } = await db.deleteFrom('gatepost.quarantine').where('id', '=', id).executeTakeFirst();
      return numDeletedRows > 0n;
    },
  };
}

async function* readChunks(database: Database, id: TraceId): AsyncGenerator<Buffer> {
  await database.ready();
  const item = await database.db
    .selectFrom('gatepost.quarantine')
    .select('size')
    .where('id', '=', id)
    .executeTakeFirst();
  if (item === undefined) throw new StoreError('not-found', `There is no message ${id} in quarantine.`);
  let seen = 0;
  for (let n = 0; ; n++) {
    const row = await database.db
      .selectFrom('gatepost.quarantine_chunk')
      .select('bytes')
      .where('id', '=', id)
      .where('n', '=', n)
      .executeTakeFirst();
    if (row === undefined) break;
    seen += row.bytes.length;
    yield row.bytes;
  }
  // It may have been deleted while it was read: half a message must not pass for a whole one.
  if (seen !== Number(item.size))
    throw new StoreError('damaged', `Of the message ${id} in quarantine ${seen} of ${item.size} bytes could be read.`);
}

/** Pieces of exactly `size` bytes, but for the last. Each is a buffer of its own, so that at most one is in memory. */
export async function* chunksOf(bytes: AsyncIterable<Buffer> | Iterable<Buffer>, size: number): AsyncGenerator<Buffer> {
  let chunk = Buffer.allocUnsafe(size);
  let filled = 0;
  for await (const piece of bytes) {
    for (let at = 0; at < piece.length;) {
      const count = Math.min(size - filled, piece.length - at);
      chunk.set(piece.subarray(at, at + count), filled);
      filled += count;
      at += count;
      if (filled === size) {
        yield chunk;
        chunk = Buffer.allocUnsafe(size);
        filled = 0;
      }
    }
  }
  if (filled > 0) yield chunk.subarray(0, filled);
}

function toItem(row: Selectable<Tables['gatepost.quarantine']>): QuarantineItem {
  const { message_id, size, ...rest } = row;
  return { ...rest, messageId: message_id, size: Number(size) };
}
