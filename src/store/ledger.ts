import { sql, type Selectable } from 'kysely';
import type { Database, Tables } from './database.js';
import { toText } from './json.js';
import type { Ledger, LedgerEntry, NotificationState } from './types.js';

/** States that say what became of a mail for good; what was folded is told by a summary, which has its own row. */
export const FINAL: readonly NotificationState[] = ['sent', 'suppressed', 'failed', 'folded'];

/** Whether nothing more will happen to the notification. */
export function isFinal({ state }: Pick<LedgerEntry, 'state'>): boolean {
  return FINAL.includes(state);
}

const LIST_MAX = 10_000;

type Row = Selectable<Tables['gatepost.notification']>;
/** What `put` writes. */
type WrittenRow = Omit<Row, 'reopened_at' | 'summary'>;

/** The ledger in a database. */
export function openLedger(database: Database): Ledger {
  const { db } = database;
  return {
    get: async (id) => {
      await database.ready();
      const row = await db.selectFrom('gatepost.notification').selectAll().where('id', '=', id).executeTakeFirst();
      return row === undefined ? undefined : toEntry(row);
    },

    settled: async (ids) => {
      await database.ready();
      const found = await db
        .selectFrom('gatepost.notification')
        .select('id')
        .where(sql<boolean>`id = ANY (${[...ids]}::text[])`)
        .where('state', 'in', [...FINAL])
        .execute();
      return new Set(found.map(({ id }) => id));
    },

    put: async (entry, kept) => {
      await database.ready();
      const { id, ...values } = toRow(entry);
      const write = db
        .insertInto('gatepost.notification')
        .values({ id, ...values })
        .onConflict((conflict) =>
          conflict
            .column('id')
            .doUpdateSet(values)
            .where('gatepost.notification.state', 'not in', [...FINAL]),
        );
      if (kept === undefined) {
        await write.execute();
        return;
      }
      // One statement: the row and what is kept of it are there together.
      await sql`
        WITH written AS (${write})
        INSERT INTO gatepost.notification_kept (id, queue, job) VALUES (${id}, ${kept.queue}, ${kept.job})
        ON CONFLICT (id) DO UPDATE SET queue = excluded.queue, job = excluded.job, open = false`.execute(db);
    },

    ofMessage: async (id) => {
      await database.ready();
      const rows = await db
        .selectFrom('gatepost.notification')
        .selectAll()
        .where('trace_id', '=', id)
        .orderBy('time')
        .orderBy('id')
        .execute();
      return rows.map(toEntry);
    },

    list: async (filter = {}) => {
      await database.ready();
      let query = db.selectFrom('gatepost.notification').selectAll();
      if (filter.state !== undefined) query = query.where('state', '=', filter.state);
      if (filter.to !== undefined) query = query.where(sql<boolean>`lower(recipient) = lower(${filter.to})`);
      const rows = await query
        .orderBy('time', 'desc')
        .orderBy('id', 'desc')
        .limit(Math.min(filter.limit ?? LIST_MAX, LIST_MAX))
        .execute();
      return rows.map(toEntry);
    },
  };
}

export function toRow(entry: LedgerEntry): WrittenRow {
  return {
    id: entry.id,
    kind: entry.kind,
    trace_id: entry.traceId ?? null,
    rule: entry.rule ?? null,
    recipient_group: entry.group ?? null,
    recipient: toText(entry.to),
    template: entry.template,
    state: entry.state,
    reason: entry.reason === undefined ? null : toText(entry.reason),
    attempts: entry.attempts,
    message_id: entry.messageId,
    last_reply: entry.lastReply === undefined ? null : toText(entry.lastReply),
    time: entry.time,
    next_attempt: entry.nextAttempt ?? null,
  };
}

export function toEntry(row: Row): LedgerEntry {
  return {
    id: row.id,
    kind: row.kind,
    ...(row.trace_id === null ? {} : { traceId: row.trace_id }),
    ...(row.rule === null ? {} : { rule: row.rule }),
    ...(row.recipient_group === null ? {} : { group: row.recipient_group }),
    to: row.recipient,
    template: row.template,
    state: row.state,
    ...(row.reason === null ? {} : { reason: row.reason }),
    attempts: row.attempts,
    messageId: row.message_id,
    ...(row.last_reply === null ? {} : { lastReply: row.last_reply }),
    time: row.time,
    ...(row.next_attempt === null ? {} : { nextAttempt: row.next_attempt }),
    ...(row.reopened_at === null ? {} : { reopenedAt: row.reopened_at }),
    ...(row.summary === null ? {} : { summary: row.summary }),
  };
}
