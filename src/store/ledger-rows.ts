import type { PoolClient, Pool } from 'pg';
import type { Written } from './admission.js';
import { toJsonb, toText } from './json.js';
import { FINAL, toRow } from './ledger.js';
import type { Recorded } from './sending-types.js';

const FINAL_STATES = FINAL.map((state) => `'${state}'`).join(', ');

/** One statement for all rows: what is null here stays as it was. */
const WRITE = `
  INSERT INTO gatepost.notification AS known (id, kind, trace_id, rule, recipient_group, recipient, template, state,
    reason, attempts, message_id, last_reply, time, next_attempt, address, source, counted, due, folded, collection, rule_name)
  SELECT id, kind, trace_id, rule, recipient_group, recipient, template, state,
    reason, attempts, message_id, last_reply, time, next_attempt, address, source, counted, due, folded, collection, rule_name
  FROM jsonb_to_recordset($1::jsonb) AS r (id text, kind text, trace_id text, rule text, recipient_group text,
    recipient text, template text, state text, reason text, attempts integer, message_id text, last_reply text,
    time timestamptz, next_attempt timestamptz, address text, source text, counted timestamptz, due timestamptz, folded timestamptz,
    collection text, rule_name text)
  ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, trace_id = excluded.trace_id, rule = excluded.rule,
    recipient_group = excluded.recipient_group, recipient = excluded.recipient, template = excluded.template,
    state = excluded.state, reason = excluded.reason, attempts = excluded.attempts, message_id = excluded.message_id,
    last_reply = excluded.last_reply, time = excluded.time, next_attempt = excluded.next_attempt,
    address = COALESCE(excluded.address, known.address), source = COALESCE(excluded.source, known.source),
    counted = COALESCE(known.counted, excluded.counted), due = COALESCE(excluded.due, known.due),
    folded = COALESCE(excluded.folded, known.folded), collection = COALESCE(excluded.collection, known.collection),
    rule_name = COALESCE(excluded.rule_name, known.rule_name)
  WHERE known.state NOT IN (${FINAL_STATES}) AND excluded.attempts >= known.attempts`;

/** In the same statement: the row and what is kept of it are there together. */
const WRITE_AND_KEEP = `
  WITH written AS (${WRITE})
  INSERT INTO gatepost.notification_kept (id, queue, job)
  SELECT id, queue, job FROM unnest($2::text[], $3::text[], $4::text[]) AS t (id, queue, job)
  ON CONFLICT (id) DO UPDATE SET queue = excluded.queue, job = excluded.job, open = false`;

/** A row of the ledger without what storm control keeps with it. */
export type LedgerRow = Pick<Written, 'entry'> & Partial<Written> & Pick<Recorded, 'kept'>;

/**
 * Inserts or updates rows of the ledger, with what is kept of them; a final state is never overwritten, nor a row by one that
 * knows of fewer attempts. Each ID at most once.
 */
export async function writeRows(client: PoolClient | Pool, rows: readonly LedgerRow[]): Promise<void> {
  if (rows.length === 0) return;
  const time = (at: number | undefined): Date | undefined => (at === undefined ? undefined : new Date(at));
  const values = rows.map(({ entry, address, source, counted, due, folded, collection, ruleName }) => ({
    ...toRow(entry),
    address,
    source,
    counted: time(counted),
    due: time(due),
    folded: time(folded),
    collection,
    rule_name: ruleName,
  }));
  const kept = rows.flatMap(({ entry, kept: job }) => (job === undefined ? [] : [{ id: entry.id, ...job }]));
  if (kept.length === 0) {
    await client.query({ name: 'gatepost-write-ledger', text: WRITE, values: [toJsonb(values)] });
    return;
  }
  await client.query({
    name: 'gatepost-record-ledger',
    text: WRITE_AND_KEEP,
    values: [
      toJsonb(values),
      kept.map(({ id }) => id),
      kept.map(({ queue }) => queue),
      kept.map(({ job }) => toText(job)),
    ],
  });
}
