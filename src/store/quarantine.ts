import { randomBytes } from 'node:crypto';
import type { PoolClient } from 'pg';
import { newTraceId, type TraceId } from '../message/trace-id.js';
import type { Database } from './database.js';
import { StoreError } from './errors.js';
import { toJsonb, toText } from './json.js';
import { itemColumns, listPage, toRecord } from './quarantine-list.js';
import { claim, deleteItem, released, unclaim } from './quarantine-release.js';
import type { Quarantine, QuarantineItem, QuarantineRecord } from './types.js';

/** Bytes of one row of an original. */
export const CHUNK_SIZE = 256 * 1024;
const LIST_MAX = 10_000;
const PAGE = 1000;

/**
 * A copy of the message that was deferred and inspected again comes for itself: it adds its recipients to what another
 * copy has put aside.
 */
const PUT = `
  INSERT INTO gatepost.quarantine AS q
    (id, time, node, envelope, recipients, subject, message_id, size, rules, findings, state, decisions)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
  ON CONFLICT (id) DO UPDATE SET
    envelope = jsonb_set(q.envelope, '{recipients}', (q.envelope->'recipients') || (
      SELECT COALESCE(jsonb_agg(r), '[]') FROM jsonb_array_elements(EXCLUDED.envelope->'recipients') r
      WHERE NOT EXISTS (SELECT FROM jsonb_array_elements(q.envelope->'recipients') k WHERE k->'address' = r->'address'))),
    recipients = q.recipients || ARRAY(SELECT r FROM unnest(EXCLUDED.recipients) r WHERE r <> ALL (q.recipients)),
    rules = q.rules || ARRAY(SELECT r FROM unnest(EXCLUDED.rules) r WHERE r <> ALL (q.rules)),
    decisions = q.decisions || (
      SELECT COALESCE(jsonb_agg(d), '[]') FROM jsonb_array_elements(EXCLUDED.decisions) d
      WHERE NOT EXISTS (SELECT FROM jsonb_array_elements(q.decisions) k WHERE k->'recipient' = d->'recipient'))
  RETURNING (xmax = 0) AS inserted`;

type NewItem = Parameters<Quarantine['put']>[0];

/** The quarantine in a database: a row of metadata for each message, and its bytes in rows of 256 KiB. */
export function openQuarantine(database: Database): Quarantine {
  const { db } = database;
  return {
    put: async (item, bytes) => await transaction(database, 'COMMIT', (client) => insert(client, item, bytes)),

    probe: async () =>
      await transaction(database, 'ROLLBACK', (client) => insert(client, probeItem(), [randomBytes(CHUNK_SIZE)])),

    list: async (filter = {}) => await listPage(database, filter, Math.min(filter.limit ?? LIST_MAX, LIST_MAX)),

    each: async function* (filter = {}) {
      let left = filter.limit ?? Infinity;
      let before: QuarantineItem | undefined;
      while (left > 0) {
        const page = await listPage(database, filter, Math.min(PAGE, left), before);
        yield* page;
        before = page.at(-1);
        left = page.length < PAGE ? 0 : left - page.length;
      }
    },

    get: async (id): Promise<QuarantineRecord | undefined> => {
      await database.ready();
      const row = await db
        .selectFrom('gatepost.quarantine')
        .select([...itemColumns, 'decisions', 'releases'])
        .where('id', '=', id)
        .executeTakeFirst();
      return row === undefined ? undefined : toRecord(row);
    },

    read: (id) => readChunks(database, id),
    claim: async (id, key, again) => await claim(database, id, key, again),
    unclaim: async (id, key) => await unclaim(database, id, key),
    released: async (id, key, release) => await released(database, id, key, release),
    delete: async (id) => await deleteItem(database, id),

    total: async () => {
      await database.ready();
      const { rows } = await database.pool.query<{ items: string; bytes: string }>(
        'SELECT COALESCE(sum(items), 0) AS items, COALESCE(sum(bytes), 0) AS bytes FROM gatepost.quarantine_size',
      );
      return { items: Number(rows[0]?.items ?? 0), bytes: Number(rows[0]?.bytes ?? 0) };
    },
  };
}

async function transaction(
  database: Database,
  end: 'COMMIT' | 'ROLLBACK',
  run: (client: PoolClient) => Promise<void>,
): Promise<void> {
  await database.ready();
  const client = await database.pool.connect();
  let sound = false;
  try {
    await client.query('BEGIN');
    await run(client);
    await client.query(end);
    sound = true;
  } finally {
    // A connection with a broken transaction is thrown away: the server rolls it back.
    client.release(!sound);
  }
}

async function insert(
  client: PoolClient,
  item: NewItem,
  bytes: AsyncIterable<Buffer> | Iterable<Buffer>,
): Promise<void> {
  const { rows } = await client.query<{ inserted: boolean }>(PUT, [
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
    toJsonb(item.decisions ?? []),
  ]);
  if (rows[0]?.inserted !== true) return;
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

function probeItem(): NewItem {
  return {
    id: newTraceId(),
    time: new Date(),
    node: '',
    envelope: {
      sender: '',
      recipients: [],
      client: '',
      helo: '',
      tls: false,
      trusted: false,
      smtpUtf8: false,
      eightBit: false,
    },
    recipients: [],
    subject: '',
    messageId: '',
    size: CHUNK_SIZE,
    rules: [],
    findings: [],
    state: 'stored',
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
