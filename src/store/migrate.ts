import type { PoolClient } from 'pg';
import { StoreError } from './errors.js';
import { MIGRATIONS, type Migration } from './migrations.js';

/** Any number; the same for all nodes, so that only one of them migrates at a time. */
const MIGRATION_LOCK = 4_811_220_701;

/**
 * Brings the schema `gatepost` to the newest version. Safe when several nodes start at once: all steps that are missing
 * are made in one transaction under an advisory lock.
 * @throws StoreError when the schema is newer than this program
 */
export async function migrate(client: PoolClient, migrations: readonly Migration[] = MIGRATIONS): Promise<void> {
  const newest = Math.max(0, ...migrations.map((m) => m.version));
  const before = await versionOf(client);
  if (before > newest) throw tooNew(before, newest);
  if (before === newest) return;
  await client.query('BEGIN');
  try {
    await client.query('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
    await client.query('CREATE SCHEMA IF NOT EXISTS gatepost');
    await client.query(
      'CREATE TABLE IF NOT EXISTS gatepost.migration (version integer PRIMARY KEY, name text NOT NULL, applied timestamptz NOT NULL DEFAULT now())',
    );
    const current = await versionOf(client);
    if (current > newest) throw tooNew(current, newest);
    for (const step of [...migrations].sort((a, b) => a.version - b.version)) {
      if (step.version <= current) continue;
      await client.query(step.sql);
      await client.query('INSERT INTO gatepost.migration (version, name) VALUES ($1, $2)', [step.version, step.name]);
    }
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  }
}

async function versionOf(client: PoolClient): Promise<number> {
  const { rows: found } = await client.query<{ present: boolean }>(
    `SELECT to_regclass('gatepost.migration') IS NOT NULL AS present`,
  );
  if (found[0]?.present !== true) return 0;
  const { rows } = await client.query<{ version: number }>(
    'SELECT COALESCE(max(version), 0)::integer AS version FROM gatepost.migration',
  );
  return rows[0]?.version ?? 0;
}

function tooNew(found: number, known: number): StoreError {
  return new StoreError(
    'too-new',
    `The database has schema version ${found}, and this version of Gatepost knows ${known}: update Gatepost on this node.`,
  );
}
