import type { Pool, PoolClient } from 'pg';
import { z } from 'zod';
import { inTransaction, lockAddresses } from './address-window.js';
import type { Database } from './database.js';
import { toJsonb } from './json.js';
import { writeRows } from './ledger-rows.js';
import type { SendingRules, StormStore, Summary, Tally } from './sending-types.js';

/** Names of one kind that a summary counts one by one. */
const MAX_TALLIES = 20;
/** Trace IDs that a summary lists. */
const MAX_IDS = 100;

const tallies = z.array(z.object({ name: z.string(), title: z.string().exactOptional(), count: z.number() }));
const stored = z.object({
  id: z.string(),
  to: z.string(),
  time: z.number(),
  total: z.number(),
  first: z.number(),
  last: z.number(),
  rules: tallies,
  templates: tallies,
  sources: tallies,
  traceIds: z.array(z.string()),
  messages: z.number(),
});

/** Folded rows that one statement gives to a summary: each may take 30 s on a slow disk, and an outbreak can be of millions. */
const PART = 5000;

/** Gives some of what was folded and not told to a summary, while that is being made. */
const GIVE = `
  UPDATE gatepost.notification SET summary = $2 WHERE id IN (
    SELECT id FROM gatepost.notification
    WHERE address = $1 AND folded IS NOT NULL AND state = 'folded' AND summary IS NULL
      AND EXISTS (SELECT FROM gatepost.notification_storm WHERE address = $1 AND claim = $2)
    LIMIT ${PART} FOR UPDATE)`;

/** Says what was given to a summary. */
const TELL = `
  WITH told AS (
    SELECT recipient, rule, rule_name, template, source, trace_id, folded FROM gatepost.notification WHERE summary = $1),
  tally AS (
    SELECT 'rules' AS kind, rule AS name, max(rule_name) AS title, count(*) AS count FROM told WHERE rule IS NOT NULL GROUP BY rule
    UNION ALL SELECT 'templates', template, NULL, count(*) FROM told GROUP BY template
    UNION ALL SELECT 'sources', source, NULL, count(*) FROM told WHERE source <> '' GROUP BY source),
  ranked AS (SELECT *, row_number() OVER (PARTITION BY kind ORDER BY count DESC, name) AS rank FROM tally),
  ids AS (SELECT trace_id, min(folded) AS folded FROM told WHERE trace_id IS NOT NULL GROUP BY trace_id)
  SELECT (SELECT count(*) FROM told)::integer AS total,
    (SELECT max(recipient) FROM told) AS recipient,
    (SELECT min(folded) FROM told) AS first, (SELECT max(folded) FROM told) AS last,
    (SELECT count(*) FROM ids)::integer AS messages,
    (SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object('kind', kind, 'name', name, 'title', title, 'count', count))
     ORDER BY rank)
     FROM ranked WHERE rank <= ${MAX_TALLIES}) AS tallies,
    (SELECT array_agg(trace_id) FROM (SELECT trace_id FROM ids ORDER BY folded, trace_id LIMIT ${MAX_IDS}) AS listed) AS trace_ids`;

interface Told {
  readonly total: number;
  readonly recipient: string | null;
  readonly first: Date | null;
  readonly last: Date | null;
  readonly messages: number;
  readonly tallies: readonly (Tally & { readonly kind: string })[] | null;
  readonly trace_ids: readonly string[] | null;
}

/** A summary as it lies in the store. @throws Error when it is damaged */
export function summaryFrom(value: unknown): Summary {
  return stored.parse(value);
}

/** Storm control in a database. */
export function openStorms(database: Database): StormStore {
  return {
    dueStorms: async (now, limit, all) => {
      await database.ready();
      const { rows } = await database.pool.query<{ address: string }>(
        `SELECT address FROM gatepost.notification_storm WHERE due IS NOT NULL AND (due <= $1 OR $3::boolean)
         ORDER BY due, address LIMIT $2`,
        [new Date(now), limit, all],
      );
      return rows.map(({ address }) => address);
    },

    claimSummary: async (address, now, identify) => {
      await database.ready();
      const { id, messageId } = identify(address);
      const { rows } = await database.pool.query<Claim>(
        // Another worker may have begun, and died.
        `UPDATE gatepost.notification_storm SET claim = COALESCE(claim, $2), claim_message_id = COALESCE(claim_message_id, $3)
         WHERE address = $1 AND due IS NOT NULL RETURNING claim AS id, claim_message_id AS "messageId"`,
        [address, id, messageId],
      );
      const [claim] = rows;
      if (claim === undefined) return false;
      while ((await give(database.pool, address, claim)) === PART);
      return await inTransaction(database, async (client) => await finish(client, address, now, claim));
    },

    owedSummaries: async (limit) => {
      await database.ready();
      const { rows } = await database.pool.query<{ id: string }>(
        'SELECT id FROM gatepost.notification_summary WHERE NOT settled ORDER BY time, id LIMIT $1',
        [limit],
      );
      return rows.map(({ id }) => id);
    },

    summary: async (id) => {
      await database.ready();
      const { rows } = await database.pool.query<{ summary: unknown }>(
        'SELECT summary FROM gatepost.notification_summary WHERE id = $1 AND NOT settled',
        [id],
      );
      return rows[0] === undefined ? undefined : summaryFrom(rows[0].summary);
    },

    settleSummary: async (id) => {
      await database.ready();
      await database.pool.query('UPDATE gatepost.notification_summary SET settled = true WHERE id = $1', [id]);
    },
  };
}

/** A summary that is being made. */
interface Claim {
  readonly id: string;
  readonly messageId: string;
}

async function give(client: Pool | PoolClient, address: string, { id }: Claim): Promise<number> {
  return (await client.query(GIVE, [address, id])).rowCount ?? 0;
}

/** Gives the rest, while nothing is folded for the address, and writes the summary. @returns whether this worker was the one */
async function finish(client: PoolClient, address: string, now: number, claim: Claim): Promise<boolean> {
  await lockAddresses(client, [address]);
  const { rowCount } = await client.query(
    'SELECT FROM gatepost.notification_storm WHERE address = $1 AND claim = $2 FOR UPDATE',
    [address, claim.id],
  );
  if (rowCount !== 1) return false;
  while ((await give(client, address, claim)) === PART);
  await client.query(
    `UPDATE gatepost.notification_storm SET due = NULL, told = $2, claim = NULL, claim_message_id = NULL
     WHERE address = $1`,
    [address, new Date(now)],
  );
  const { rows } = await client.query<Told>(TELL, [claim.id]);
  const [told] = rows;
  if (told === undefined || told.total === 0) return false;
  const { id, messageId } = claim;
  const summary = summaryOf(id, address, now, told);
  await client.query(
    `INSERT INTO gatepost.notification_summary (id, time, summary, settled) VALUES ($1, $2, $3, false)`,
    [id, new Date(now), toJsonb(summary)],
  );
  const time = new Date(now);
  const row = { id, kind: 'summary', to: summary.to, template: 'summary', state: 'queued', attempts: 0 } as const;
  await writeRows(client, [{ entry: { ...row, messageId, time }, address }]);
  return true;
}

/** With the transaction that folds: what is folded is owed a summary from this commit on. */
export async function noteStorms(
  client: PoolClient,
  storms: ReadonlyMap<string, number>,
  { rate }: SendingRules,
): Promise<void> {
  await Promise.all(
    [...storms].map(
      async ([address, room]) =>
        await client.query(
          // In a storm that lasts, a summary comes no earlier than a window after the one before.
          `INSERT INTO gatepost.notification_storm AS known (address, due) VALUES ($1, $2)
           ON CONFLICT (address) DO UPDATE SET due =
             COALESCE(known.due, greatest(excluded.due, known.told + make_interval(secs => $3::double precision / 1000)))`,
          [address, new Date(room), rate?.per ?? 0],
        ),
    ),
  );
}

function summaryOf(id: string, address: string, time: number, told: Told): Summary {
  const of = (kind: string): Summary['rules'] =>
    (told.tallies ?? [])
      .filter((each) => each.kind === kind)
      .map(({ name, title, count }) => ({ name, count, ...(title === undefined ? {} : { title }) }));
  return {
    id,
    to: told.recipient ?? address,
    time,
    total: told.total,
    first: told.first?.getTime() ?? time,
    last: told.last?.getTime() ?? time,
    rules: of('rules'),
    templates: of('templates'),
    sources: of('sources'),
    traceIds: told.trace_ids ?? [],
    messages: told.messages,
  };
}
