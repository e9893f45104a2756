import { randomUUID } from 'node:crypto';
import { sql, type Selectable, type Transaction } from 'kysely';
import type { Database, Tables } from './database.js';
import { toText } from './json.js';
import { isWorse } from './severities.js';
import type { EventCondition, EventStore, EventTransition, RecordedTransition } from './types.js';

const LIST_MAX = 10_000;
/**
 * Any number. Writers take turns, so that transitions become visible in the order of their `seq`: whoever reads behind
 * a mark misses none.
 */
const WRITE_LOCK = 4_811_220_702;

type Columns = Selectable<Tables['gatepost.event']>;
type Work = Transaction<Tables>;

/** Conditions and their history in a database. */
export function openEventStore(database: Database): EventStore {
  const { db } = database;
  return {
    write: async (transitions, occurrences) => {
      await database.ready();
      if (transitions.length === 0 && occurrences.length === 0) return;
      await db.transaction().execute(async (work) => {
        await sql`SELECT pg_advisory_xact_lock(${WRITE_LOCK})`.execute(work);
        for (const transition of transitions) await apply(work, transition);
        for (const condition of occurrences) await touch(work, condition);
      });
    },

    active: async (node) => {
      await database.ready();
      let query = db.selectFrom('gatepost.event').selectAll().where('resolved_at', 'is', null);
      if (node !== undefined) query = query.where('node', '=', node);
      const rows = await query
        .orderBy('first')
        .orderBy('event')
        .orderBy('node')
        .orderBy('subject')
        .limit(LIST_MAX)
        .execute();
      return rows.map(toCondition);
    },

    resolved: async (since, limit = LIST_MAX) => {
      await database.ready();
      const rows = await db
        .selectFrom('gatepost.event_transition')
        .selectAll()
        .where('change', '=', 'resolved')
        .where('resolved_at', '>=', since)
        .orderBy('resolved_at', 'desc')
        .orderBy('seq', 'desc')
        .limit(Math.min(limit, LIST_MAX))
        .execute();
      return rows.map(toCondition);
    },

    transitions: async (after, limit = LIST_MAX) => {
      await database.ready();
      const rows = await db
        .selectFrom('gatepost.event_transition')
        .selectAll()
        .where('seq', '>', String(after))
        .orderBy('seq')
        .limit(Math.min(limit, LIST_MAX))
        .execute();
      return rows.map((row): RecordedTransition => ({
        seq: Number(row.seq),
        id: row.id,
        change: row.change,
        condition: toCondition(row),
      }));
    },

    lastTransition: async () => {
      await database.ready();
      const row = await db
        .selectFrom('gatepost.event_transition')
        .select(({ fn }) => fn.max('seq').as('seq'))
        .executeTakeFirst();
      return Number(row?.seq ?? 0);
    },

    prune: async (before) => {
      await database.ready();
      await db.deleteFrom('gatepost.event_transition').where('recorded', '<', before).execute();
      await db.deleteFrom('gatepost.event').where('resolved_at', '<', before).execute();
    },
  };
}

/**
 * A transition that does not change the condition's state, because another node was first, is an occurrence at most; one
 * that makes it worse is told.
 */
async function apply(work: Work, transition: EventTransition): Promise<void> {
  const { id, change, condition } = transition;
  const known = await work.selectFrom('gatepost.event_transition').select('id').where('id', '=', id).executeTakeFirst();
  if (known !== undefined) return;
  const before = await find(work, condition);
  const holds = before?.resolved_at === null;
  if (change === 'raised' && holds && !isWorse(condition.severity, before.severity)) {
    await update(work, condition);
    return;
  }
  if (change === 'resolved' && !holds) return;
  const row = toRow(change === 'raised' && holds ? { ...condition, first: before.first } : condition);
  const { event, node, subject, ...values } = row;
  await work
    .insertInto('gatepost.event')
    .values(row)
    .onConflict((conflict) => conflict.columns(['event', 'node', 'subject']).doUpdateSet(values))
    .execute();
  await work
    .insertInto('gatepost.event_transition')
    .values({ id, change, event, node, subject, ...values })
    .execute();
}

/** A condition that the database has lost, or that someone else held to be over, is raised anew. */
async function touch(work: Work, condition: EventCondition): Promise<void> {
  if (!(await update(work, condition))) await apply(work, { id: randomUUID(), change: 'raised', condition });
}

async function update(work: Work, condition: EventCondition): Promise<boolean> {
  const { event, node, subject, severity, detail, last, last_success } = toRow(condition);
  const { numUpdatedRows } = await work
    .updateTable('gatepost.event')
    .set({
      severity,
      detail,
      last: sql<Date>`greatest(last, ${last}::timestamptz)`,
      last_success: sql<Date | null>`greatest(last_success, ${last_success}::timestamptz)`,
    })
    .where('event', '=', event)
    .where('node', '=', node)
    .where('subject', '=', subject)
    .where('resolved_at', 'is', null)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

async function find(work: Work, condition: EventCondition): Promise<Columns | undefined> {
  const { event, node, subject } = toRow(condition);
  return await work
    .selectFrom('gatepost.event')
    .selectAll()
    .where('event', '=', event)
    .where('node', '=', node)
    .where('subject', '=', subject)
    .executeTakeFirst();
}

function toRow(condition: EventCondition): Columns {
  return {
    event: condition.event,
    node: condition.node,
    subject: toText(condition.subject),
    severity: condition.severity,
    detail: toText(condition.detail),
    first: condition.first,
    last: condition.last,
    last_success: condition.lastSuccess ?? null,
    resolved_at: condition.resolvedAt ?? null,
  };
}

function toCondition(row: Columns): EventCondition {
  return {
    event: row.event,
    node: row.node,
    subject: row.subject,
    severity: row.severity,
    detail: row.detail,
    first: row.first,
    last: row.last,
    ...(row.last_success === null ? {} : { lastSuccess: row.last_success }),
    ...(row.resolved_at === null ? {} : { resolvedAt: row.resolved_at }),
  };
}
