import type { Migration } from './migrations.js';

/** Who has a mail in hand. */
export const HOLD_MIGRATIONS: readonly Migration[] = [
  {
    version: 70,
    name: 'mails that are in hand',
    sql: `
      -- Of seconds: a database that dies may forget it.
      CREATE UNLOGGED TABLE gatepost.sending_hold (
        id text PRIMARY KEY,
        -- The process.
        holder uuid NOT NULL,
        until timestamptz NOT NULL
      );
    `,
  },
];
