import type { QueryResult, QueryResultRow } from 'pg';
import type { Database } from './database.js';
import { toText } from './json.js';
import {
  NAME_SILENCE,
  type ControlNode,
  type NodeFacts,
  type NodeIdentity,
  type NodeRecord,
  type NodeRole,
  type NodeStore,
} from './node-types.js';

interface Row extends QueryResultRow, NodeFacts {
  readonly roles: NodeRole[];
  readonly started: Date;
  readonly last_seen: Date;
  readonly silence: number;
  readonly rules_since: Date;
  readonly stopped: Date | null;
}

const COLUMNS = `name, roles, address, port, comment, timezone, version, rules, clock, started, last_seen, rules_since, stopped,
  (extract(epoch FROM clock_timestamp() - last_seen) * 1000)::float8 AS silence`;
const LIST_MAX = 10_000;

/** The nodes of a cluster in its database, whose clock is the only one that counts. */
export function openNodes(database: Database): NodeStore {
  async function query<R extends QueryResultRow>(
    text: string,
    values: readonly unknown[] = [],
  ): Promise<QueryResult<R>> {
    await database.ready();
    return await database.pool.query<R>(text, [...values]);
  }

  async function enter(facts: NodeFacts, { installation, run }: NodeIdentity): Promise<boolean> {
    const { rowCount } = await query(
      `INSERT INTO gatepost.node AS node
         (name, installation, run, roles, address, port, comment, timezone, version, rules, clock, started, last_seen, rules_since)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, now(), now(), now())
       ON CONFLICT (name) DO UPDATE SET
         installation = excluded.installation, run = excluded.run, roles = excluded.roles, address = excluded.address,
         port = excluded.port, comment = excluded.comment, timezone = excluded.timezone, version = excluded.version,
         rules = excluded.rules, clock = excluded.clock, last_seen = now(), stopped = NULL,
         started = CASE WHEN node.run = excluded.run AND node.stopped IS NULL THEN node.started ELSE now() END,
         rules_since = CASE WHEN node.rules = excluded.rules THEN node.rules_since ELSE now() END
       WHERE node.installation = excluded.installation OR node.stopped IS NOT NULL
         OR ('gateway' = ANY (excluded.roles) AND NOT 'gateway' = ANY (node.roles))
        OR node.last_seen < now() - $12 * interval '1 millisecond'`,
      [
        facts.name,
        installation,
        run,
        facts.roles,
        toText(facts.address),
        facts.port,
        toText(facts.comment),
        facts.timezone,
        facts.version,
        facts.rules,
        facts.clock,
        NAME_SILENCE,
      ],
    );
    return rowCount === 1;
  }

  return {
    beat: async (facts, identity) => {
      if (await enter(facts, identity)) {
        // A node that was given another name is not missed under the one before.
        await query('DELETE FROM gatepost.node WHERE installation = $1 AND name <> $2', [
          identity.installation,
          facts.name,
        ]);
        return undefined;
      }
      const { rows } = await query<Row>(`SELECT ${COLUMNS} FROM gatepost.node WHERE name = $1`, [facts.name]);
      const [holder] = rows;
      // It was removed between the two: the next beat enters it.
      return holder === undefined ? undefined : toRecord(holder);
    },

    leave: async (name, { run }) => {
      await query('UPDATE gatepost.node SET stopped = now(), last_seen = now() WHERE name = $1 AND run = $2', [
        name,
        run,
      ]);
      await query('UPDATE gatepost.control_node SET until = now() WHERE run = $1', [run]);
    },

    list: async () => {
      const { rows } = await query<Row>(`SELECT ${COLUMNS} FROM gatepost.node ORDER BY name LIMIT ${LIST_MAX}`);
      return rows.map(toRecord);
    },

    remove: async (name) => {
      const { rowCount } = await query('DELETE FROM gatepost.node WHERE name = $1', [name]);
      await query('UPDATE gatepost.control_node SET until = now() WHERE node = $1', [name]);
      await query('UPDATE gatepost.control_node SET preferred = NULL WHERE preferred = $1', [name]);
      return rowCount === 1;
    },

    retire: async (installation) => {
      const { rows } = await query<{ readonly name: string; readonly run: string }>(
        'DELETE FROM gatepost.node WHERE installation = $1 RETURNING name, run',
        [installation],
      );
      const [node] = rows;
      if (node !== undefined) await query('UPDATE gatepost.control_node SET until = now() WHERE run = $1', [node.run]);
      return node?.name;
    },

    prune: async (age) => {
      await query(`DELETE FROM gatepost.node WHERE stopped < now() - $1 * interval '1 millisecond'`, [age]);
    },

    lease: async ({ name, timezone }, { run }, span) => {
      const { rowCount } = await query(
        `INSERT INTO gatepost.control_node AS control (id, node, run, timezone, since, until)
         VALUES (1, $1, $2, $3, now(), now() + $4 * interval '1 millisecond')
         ON CONFLICT (id) DO UPDATE SET
           node = excluded.node, run = excluded.run, timezone = excluded.timezone, until = excluded.until,
           since = CASE WHEN control.run = excluded.run THEN control.since ELSE now() END
         WHERE control.run = excluded.run OR control.until <= now() OR control.preferred = excluded.node`,
        [name, run, timezone, span],
      );
      return rowCount === 1;
    },

    control: async () => {
      const { rows } = await query<{
        node: string;
        timezone: string;
        since: Date;
        expired: boolean;
        preferred: string | null;
      }>('SELECT node, timezone, since, until <= now() AS expired, preferred FROM gatepost.control_node');
      const [row] = rows;
      if (row === undefined) return undefined;
      const { node, timezone, since, expired, preferred } = row;
      const control: ControlNode = { name: node, timezone, since, expired };
      return preferred === null ? control : { ...control, preferred };
    },

    prefer: async (name) => {
      await query(
        `INSERT INTO gatepost.control_node (id, node, run, timezone, since, until, preferred)
         VALUES (1, '', gen_random_uuid(), 'UTC', now(), now(), $1)
         ON CONFLICT (id) DO UPDATE SET preferred = excluded.preferred`,
        [name ?? null],
      );
    },

    clockOffset: async (now = Date.now) => {
      await database.ready();
      const before = now();
      const { rows } = await query<{ time: number }>(
        'SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS time',
      );
      const after = now();
      const there = rows[0]?.time ?? before;
      return { offset: Math.round((before + after) / 2 - there), error: Math.ceil(Math.abs(after - before) / 2) };
    },
  };
}

function toRecord({ last_seen, rules_since, stopped, silence, ...row }: Row): NodeRecord {
  return {
    ...row,
    silence: Math.max(0, silence),
    lastSeen: last_seen,
    rulesSince: rules_since,
    ...(stopped === null ? {} : { stopped }),
  };
}
