import { sql } from 'kysely';
import { z } from 'zod';
import type { Database } from './database.js';
import type { EventMail, EventMailStore, Mark, OwedEventMails } from './event-mail-types.js';
import { toText } from './json.js';

const condition = z.object({
  event: z.string(),
  node: z.string(),
  subject: z.string(),
  severity: z.enum(['diagnostic', 'informative', 'warning', 'error', 'critical']),
  detail: z.string(),
  first: z.coerce.date(),
  last: z.coerce.date(),
  lastSuccess: z.coerce.date().optional(),
  resolvedAt: z.coerce.date().optional(),
});

const stored = z.object({
  id: z.string(),
  to: z.array(z.string()),
  language: z.string(),
  kind: z.enum(['change', 'daily']),
  time: z.number(),
  timezone: z.string(),
  conditions: z.array(condition),
  changes: z.array(z.object({ change: z.enum(['raised', 'resolved', 'raised-and-resolved']), condition })),
  resolved: z.array(condition),
});

/** Who has been told of events, in a database. */
export function openEventMails(database: Database): EventMailStore & OwedEventMails {
  const { db } = database;
  return {
    mark: async (set) => {
      await database.ready();
      const row = await db
        .selectFrom('gatepost.event_mail_mark')
        .selectAll()
        .where('recipients', '=', set)
        .executeTakeFirst();
      if (row === undefined) return undefined;
      return {
        seq: Number(row.seq),
        mailSeq: Number(row.mail_seq),
        day: row.day,
        version: row.version,
        ...(row.change_at === null ? {} : { changeAt: row.change_at.getTime() }),
      };
    },

    isFirst: async () => {
      await database.ready();
      const row = await db.selectFrom('gatepost.event_mail_mark').select('recipients').limit(1).executeTakeFirst();
      return row === undefined;
    },

    claim: async (set, version, next, mails) => {
      await database.ready();
      return await db.transaction().execute(async (work) => {
        const values = rowOf(next, version + 1);
        const moved =
          version === 0
            ? await work
                .insertInto('gatepost.event_mail_mark')
                .values({ recipients: set, ...values })
                .onConflict((conflict) => conflict.doNothing())
                .returning('version')
                .executeTakeFirst()
            : await work
                .updateTable('gatepost.event_mail_mark')
                .set(values)
                .where('recipients', '=', set)
                .where('version', '=', version)
                .returning('version')
                .executeTakeFirst();
        if (moved === undefined) return false;
        for (const mail of mails) {
          await work
            .insertInto('gatepost.event_mail')
            .values({ id: mail.id, time: new Date(mail.time), mail: toText(JSON.stringify(mail)), settled: false })
            .onConflict((conflict) => conflict.doNothing())
            .execute();
        }
        return true;
      });
    },

    owed: async (limit) => {
      await database.ready();
      const rows = await db
        .selectFrom('gatepost.event_mail')
        .select(sql`mail`.as('mail'))
        .where('settled', '=', false)
        .orderBy('time')
        .orderBy('id')
        .limit(limit)
        .execute();
      return rows.map((row) => mailOf(row.mail));
    },

    owedBy: async (ids) => {
      await database.ready();
      const rows = await db
        .selectFrom('gatepost.event_mail')
        .select(sql`mail`.as('mail'))
        .where('settled', '=', false)
        .where(sql<boolean>`id = ANY (${[...ids]}::text[])`)
        .execute();
      return rows.map((row) => mailOf(row.mail));
    },

    settle: async (id) => {
      await database.ready();
      await db.updateTable('gatepost.event_mail').set({ settled: true }).where('id', '=', id).execute();
    },

    prune: async (before) => {
      await database.ready();
      await db.deleteFrom('gatepost.event_mail').where('settled', '=', true).where('time', '<', before).execute();
    },
  };
}

function rowOf(
  mark: Mark,
  version: number,
): { version: number; seq: string; mail_seq: string; day: string; change_at: Date | null } {
  return {
    version,
    seq: String(mark.seq),
    mail_seq: String(mark.mailSeq),
    day: mark.day,
    change_at: mark.changeAt === undefined ? null : new Date(mark.changeAt),
  };
}

/** A mail as it is stored. @throws ZodError */
export function mailOf(text: unknown): EventMail {
  const { conditions, changes, resolved, ...rest } = stored.parse(text);
  return {
    ...rest,
    conditions: conditions.map(exact),
    changes: changes.map(({ change, condition: each }) => ({ change, condition: exact(each) })),
    resolved: resolved.map(exact),
  };
}

/** Without the keys that are not there. */
function exact({ lastSuccess, resolvedAt, ...rest }: z.output<typeof condition>): EventMail['conditions'][number] {
  return {
    ...rest,
    ...(lastSuccess === undefined ? {} : { lastSuccess }),
    ...(resolvedAt === undefined ? {} : { resolvedAt }),
  };
}
