import { sql, type RawBuilder } from 'kysely';
import { messageIdIs, type Database } from './database.js';
import { mailOf } from './event-mails.js';
import { toText } from './json.js';
import { toEntry } from './ledger.js';
import type { KeptJob, NotificationBook, Reopening, RetryAnswer } from './notification-book-types.js';
import { summaryFrom } from './storms.js';
import type { LedgerEntry, NotificationState } from './types.js';

const LIST_MAX = 10_000;

/** The ledger for commands, in a database. */
export function openNotificationBook(database: Database): NotificationBook {
  const { db, pool } = database;

  async function get(id: string): Promise<LedgerEntry | undefined> {
    await database.ready();
    const row = await db.selectFrom('gatepost.notification').selectAll().where('id', '=', id).executeTakeFirst();
    return row === undefined ? undefined : toEntry(row);
  }

  return {
    get,

    list: async (filter = {}) => {
      await database.ready();
      let query = db.selectFrom('gatepost.notification').selectAll();
      if (filter.state !== undefined) query = query.where('state', '=', filter.state);
      if (filter.kind !== undefined) query = query.where('kind', '=', filter.kind);
      if (filter.traceId !== undefined) query = query.where('trace_id', '=', filter.traceId);
      if (filter.summary !== undefined) query = query.where('summary', '=', filter.summary);
      if (filter.since !== undefined) query = query.where('time', '>=', filter.since);
      if (filter.after !== undefined)
        query = query.where(
          sql<boolean>`(time, id) < (SELECT time, id FROM gatepost.notification WHERE id = ${filter.after})`,
        );
      if (filter.to !== undefined) query = query.where(sql<boolean>`recipient ILIKE ${likeOf(filter.to)} ESCAPE '!'`);
      const rows = await query
        .orderBy('time', 'desc')
        .orderBy('id', 'desc')
        .limit(Math.min(filter.limit ?? LIST_MAX, LIST_MAX))
        .execute();
      return rows.map(toEntry);
    },

    byMessageId: async (messageId) => {
      if (messageId === '') return [];
      await database.ready();
      const rows = await db
        .selectFrom('gatepost.notification')
        .selectAll()
        .where(messageIdIs(messageId))
        .orderBy('time')
        .orderBy('id')
        .limit(1000)
        .execute();
      return rows.map(toEntry);
    },

    eventMail: async (id) => {
      await database.ready();
      const row = await db
        .selectFrom('gatepost.event_mail')
        .select(sql`mail`.as('mail'))
        .where('id', '=', id)
        .executeTakeFirst();
      return row === undefined ? undefined : mailOf(row.mail);
    },

    summary: async (id) => {
      await database.ready();
      const { rows } = await pool.query<{ summary: unknown }>(
        'SELECT summary FROM gatepost.notification_summary WHERE id = $1',
        [id],
      );
      return rows[0] === undefined ? undefined : summaryFrom(rows[0].summary);
    },

    summaryDue: async (address) => {
      await database.ready();
      const { rows } = await pool.query<{ due: Date | null }>(
        'SELECT due FROM gatepost.notification_storm WHERE address = $1',
        [toText(address.toLowerCase())],
      );
      return rows[0]?.due ?? undefined;
    },

    reopenings: async (id) => {
      await database.ready();
      const { rows } = await pool.query<ReopenedRow>(
        'SELECT time, who, was, reason, attempts, last_reply FROM gatepost.notification_reopened WHERE id = $1 ORDER BY seq',
        [id],
      );
      return rows.map(toReopening);
    },

    retry: async (id, who, again, now) => {
      const entry = await get(id);
      const refusal = whyNot(entry, again);
      if (refusal !== undefined || entry === undefined) return refusal ?? 'missing';
      if (entry.state === 'queued') {
        await hurry(id, now);
        return 'hurried';
      }
      return await db.transaction().execute(async (work): Promise<RetryAnswer> => {
        const kept = await owedAgain(entry).execute(work);
        if (kept.rows.length === 0) return 'gone';
        const taken = await sql`
          WITH before AS (SELECT * FROM gatepost.notification WHERE id = ${id} AND state = ${entry.state} FOR UPDATE),
          noted AS (
            INSERT INTO gatepost.notification_reopened (id, time, who, was, reason, attempts, last_reply)
            SELECT id, ${now}, ${toText(who)}, state, reason, attempts, last_reply FROM before
          )
          UPDATE gatepost.notification n
          SET state = 'queued', reason = NULL, next_attempt = NULL, reopened_at = ${now}
          FROM before WHERE n.id = before.id RETURNING n.id`.execute(work);
        // Somebody else has just done the same.
        return taken.rows.length === 0 ? 'hurried' : 'reopened';
      });
    },

    open: async (limit) => {
      await database.ready();
      const { rows } = await pool.query<KeptJob & { readonly id: string; readonly state: NotificationState }>(
        `SELECT k.id, k.queue, k.job, n.state FROM gatepost.notification_kept k JOIN gatepost.notification n USING (id)
         WHERE k.open ORDER BY k.id LIMIT $1`,
        [limit],
      );
      const over = rows.filter(({ state }) => state !== 'queued').map(({ id }) => id);
      if (over.length > 0)
        await pool.query(
          `UPDATE gatepost.notification_kept k SET open = false FROM gatepost.notification n
           WHERE k.id = ANY ($1) AND n.id = k.id AND n.state <> 'queued'`,
          [over],
        );
      return rows.filter(({ state }) => state === 'queued').map(({ id, queue, job }) => ({ id, queue, job }));
    },

    takeHurried: async (limit) => {
      await database.ready();
      const { rows } = await pool.query<{ id: string }>(
        `DELETE FROM gatepost.notification_hurry WHERE id IN
           (SELECT id FROM gatepost.notification_hurry ORDER BY time LIMIT $1 FOR UPDATE SKIP LOCKED) RETURNING id`,
        [limit],
      );
      const entries = await Promise.all(rows.map(async ({ id }) => await get(id)));
      // What has come to its end meanwhile is not tried.
      return entries.filter((entry) => entry !== undefined).filter(({ state }) => state === 'queued');
    },
  };

  async function hurry(id: string, now: Date): Promise<void> {
    await pool.query('INSERT INTO gatepost.notification_hurry (id, time) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
      id,
      now,
    ]);
  }
}

function whyNot(entry: LedgerEntry | undefined, again: boolean): RetryAnswer | undefined {
  if (entry === undefined) return 'missing';
  if (entry.kind === 'dsn') return 'spooled';
  if (entry.state === 'folded' || entry.state === 'suppressed') return entry.state;
  return entry.state === 'sent' && !again ? 'sent' : undefined;
}

/** What it said is owed again, if that is still kept. */
function owedAgain(entry: LedgerEntry): RawBuilder<unknown> {
  const { id, kind, template } = entry;
  if (kind === 'summary')
    return sql`UPDATE gatepost.notification_summary SET settled = false WHERE id = ${id} RETURNING id`;
  if (kind === 'event' && template !== 'webhook')
    return sql`UPDATE gatepost.event_mail SET settled = false WHERE id = ${mailIdOf(entry)} RETURNING id`;
  return sql`UPDATE gatepost.notification_kept SET open = true WHERE id = ${id} RETURNING id`;
}

/** ID of the mail about events that a row of the ledger is about. */
function mailIdOf({ id, to }: LedgerEntry): string {
  return id.slice(0, id.length - to.length - 1);
}

interface ReopenedRow {
  readonly time: Date;
  readonly who: string;
  readonly was: NotificationState;
  readonly reason: string | null;
  readonly attempts: number;
  readonly last_reply: string | null;
}

function toReopening({ time, who, was, reason, attempts, last_reply: lastReply }: ReopenedRow): Reopening {
  return {
    time,
    who,
    was,
    attempts,
    ...(reason === null ? {} : { reason }),
    ...(lastReply === null ? {} : { lastReply }),
  };
}

/** A mask with `*` and `?` as a pattern of LIKE with `!` as escape. */
function likeOf(mask: string): string {
  return toText(mask).replace(/[!%_]/g, '!$&').replace(/\*/g, '%').replace(/\?/g, '_');
}
