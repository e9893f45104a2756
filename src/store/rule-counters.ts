import { randomUUID } from 'node:crypto';
import type { Log } from '../telemetry/log.js';
import type { Database } from './database.js';
import { messageOf } from './errors.js';
import { toJsonb } from './json.js';
import { HitSums, type DayHit } from './hit-sums.js';
import type { RuleCounters, RuleCounts } from './types.js';

/** Time between two writes, ms. */
const INTERVAL = 2000;
/** Different rules, responses and days that wait to be written; more are counted as lost. */
const KEYS_MAX = 100_000;
/** Rules in force are said again after this time, ms, so that one that was away for long is told from one that never hit. */
const KNOW_AGAIN = 12 * 3_600_000;

/** Written twice, as after a connection that was lost at the commit, a batch counts once. */
const ADD = `
  WITH batch AS (INSERT INTO gatepost.rule_batch (id) VALUES ($1) ON CONFLICT DO NOTHING RETURNING id)
  INSERT INTO gatepost.rule_count AS c (rule, response, day, matched, decided, audited, last_hit)
  SELECT h.rule, h.response, h.day, h.matched, h.decided, h.audited, h.last
  FROM batch, jsonb_to_recordset($2::jsonb) AS h
    (rule text, response text, day date, matched bigint, decided bigint, audited bigint, last timestamptz)
  -- All nodes in one order: two batches never wait for each other in a circle.
  ORDER BY h.rule, h.response, h.day
  ON CONFLICT (rule, response, day) DO UPDATE SET
    matched = c.matched + EXCLUDED.matched, decided = c.decided + EXCLUDED.decided,
    audited = c.audited + EXCLUDED.audited, last_hit = greatest(c.last_hit, EXCLUDED.last_hit)`;

/** A rule that was in no set for a month is new when it comes back. */
const KNOW = `
  INSERT INTO gatepost.rule_known AS k (rule, first_seen, last_seen)
  SELECT rule, now(), now() FROM unnest($1::text[]) rule ORDER BY rule
  ON CONFLICT (rule) DO UPDATE SET
    first_seen = CASE WHEN k.last_seen < now() - interval '30 days' THEN now() ELSE k.first_seen END,
    last_seen = now()`;

const COUNTS = `
  SELECT rule, response, max(last_hit) AS last_hit,
    sum(matched) AS matched, sum(decided) AS decided, sum(audited) AS audited,
    COALESCE(sum(matched) FILTER (WHERE day > $1::date - 7), 0) AS matched_7,
    COALESCE(sum(decided) FILTER (WHERE day > $1::date - 7), 0) AS decided_7,
    COALESCE(sum(audited) FILTER (WHERE day > $1::date - 7), 0) AS audited_7,
    COALESCE(sum(matched) FILTER (WHERE day > $1::date - 30), 0) AS matched_30,
    COALESCE(sum(decided) FILTER (WHERE day > $1::date - 30), 0) AS decided_30,
    COALESCE(sum(audited) FILTER (WHERE day > $1::date - 30), 0) AS audited_30
  FROM gatepost.rule_count GROUP BY rule, response ORDER BY rule, response`;

export interface CounterWriter extends RuleCounters {
  /** Hits that could not be kept. */
  readonly lost: number;
  /** Writes what is left, for at most `patience` ms. Nothing is counted any more. */
  close(patience: number): Promise<void>;
}

interface Batch {
  readonly id: string;
  readonly hits: readonly DayHit[];
}

/** The counters of rules in a database. Hits are added up in memory by rule, response and day, and written together. */
export function openRuleCounters(database: Database, log: Log, interval: number = INTERVAL): CounterWriter {
  let sums = new HitSums(KEYS_MAX);
  let lost = 0;
  let inForce: readonly string[] = [];
  let toldAt = -Infinity;
  let pending: Batch | undefined;
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> | undefined;
  let failing = false;
  let closed = false;

  function later(): void {
    if (!closed) timer ??= setTimeout(() => void flush(), interval).unref();
  }

  /** One write at a time; what comes meanwhile goes with the next. */
  async function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    while (writing !== undefined) await writing;
    writing = write().finally(() => {
      writing = undefined;
    });
    await writing;
  }

  async function write(): Promise<void> {
    try {
      await tell();
      // What failed before goes first, under the same mark.
      while (pending !== undefined || sums.size > 0) {
        pending ??= takeBatch();
        await database.ready();
        await database.pool.query({
          name: 'gatepost-rule-count',
          text: ADD,
          values: [pending.id, toJsonb(pending.hits)],
        });
        pending = undefined;
      }
      if (failing) log.info('the counters of rules are written again');
      failing = false;
    } catch (error) {
      if (!failing)
        log.warn({ reason: messageOf(error) }, 'the counters of rules cannot be written: they wait in memory');
      failing = true;
      later();
    }
  }

  async function tell(): Promise<void> {
    if (inForce.length === 0 || performance.now() - toldAt < KNOW_AGAIN) return;
    const rules = inForce;
    await database.ready();
    await database.pool.query(KNOW, [[...new Set(rules)]]);
    if (rules === inForce) toldAt = performance.now();
  }

  function takeBatch(): Batch {
    const hits = sums.entries();
    sums = new HitSums(KEYS_MAX);
    return { id: randomUUID(), hits };
  }

  return {
    count: (hits, time) => {
      if (hits.length === 0) return;
      for (const hit of hits) if (closed || !sums.add(hit, time)) lost += 1;
      later();
    },
    know: (rules) => {
      inForce = [...rules];
      toldAt = -Infinity;
      later();
    },
    flush,
    counts: async (now) => {
      await database.ready();
      const { rows } = await database.pool.query<CountRow>(COUNTS, [now.toISOString().slice(0, 10)]);
      return rows.map(toCounts);
    },
    known: async () => {
      await database.ready();
      const rows = await database.db.selectFrom('gatepost.rule_known').select(['rule', 'first_seen']).execute();
      return new Map(rows.map(({ rule, first_seen }) => [rule, first_seen]));
    },
    get lost() {
      return lost;
    },
    close: async (patience) => {
      closed = true;
      let over: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        over = setTimeout(resolve, patience);
      });
      await Promise.race([flush(), late]);
      clearTimeout(over);
      clearTimeout(timer);
      const left = sums.size + (pending?.hits.length ?? 0);
      if (left > 0) log.error({ lost: left }, 'counters of rules are lost: the database was away to the end');
    },
  };
}

type Column = 'matched' | 'decided' | 'audited';
type CountRow = { rule: string; response: string; last_hit: Date } & Record<
  Column | `${Column}_7` | `${Column}_30`,
  string
>;

function toCounts(row: CountRow): RuleCounts {
  const of = (end: '' | '_7' | '_30'): RuleCounts['total'] => ({
    matched: Number(row[`matched${end}`]),
    decided: Number(row[`decided${end}`]),
    audited: Number(row[`audited${end}`]),
  });
  return {
    rule: row.rule,
    response: row.response,
    last7: of('_7'),
    last30: of('_30'),
    total: of(''),
    lastHit: row.last_hit,
  };
}
