import type { Migration } from './migrations.js';

/** Storm control and collected mails. */
export const SENDING_MIGRATIONS: readonly Migration[] = [
  {
    version: 27,
    name: 'storm control and collected notifications',
    sql: `
      ALTER TABLE gatepost.notification
        -- The recipient in lower case.
        ADD COLUMN address text,
        -- Domain of the sender of the message.
        ADD COLUMN source text,
        -- When it took its place in the window of the rate.
        ADD COLUMN counted timestamptz,
        -- End of the interval that it waits for.
        ADD COLUMN due timestamptz,
        -- The mail that it is collected in.
        ADD COLUMN collection text,
        -- When it was folded, and the summary that tells of it.
        ADD COLUMN folded timestamptz,
        ADD COLUMN summary text;
      CREATE INDEX notification_counted ON gatepost.notification (address, counted) WHERE counted IS NOT NULL;
      CREATE INDEX notification_untold ON gatepost.notification (address) WHERE state = 'folded' AND summary IS NULL;
      CREATE INDEX notification_collection_rows ON gatepost.notification (collection) WHERE collection IS NOT NULL;
      CREATE TABLE gatepost.notification_storm (
        address text PRIMARY KEY,
        -- When the next summary is due; null when everything has been told.
        due timestamptz,
        -- Of the last summary.
        told timestamptz
      );
      CREATE INDEX notification_storm_due ON gatepost.notification_storm (due) WHERE due IS NOT NULL;
      CREATE TABLE gatepost.notification_summary (
        id text PRIMARY KEY,
        time timestamptz NOT NULL,
        summary jsonb NOT NULL,
        settled boolean NOT NULL
      );
      CREATE INDEX notification_summary_owed ON gatepost.notification_summary (time) WHERE NOT settled;
      CREATE TABLE gatepost.notification_collection (
        id text PRIMARY KEY,
        address text NOT NULL,
        due timestamptz NOT NULL,
        -- Its mails go each by itself, when it is due.
        separate boolean NOT NULL,
        items integer NOT NULL,
        bytes bigint NOT NULL,
        -- It takes no more mails.
        started boolean NOT NULL DEFAULT false,
        settled boolean NOT NULL DEFAULT false
      );
      CREATE INDEX notification_collection_open ON gatepost.notification_collection (address, due) WHERE NOT settled;
      CREATE INDEX notification_collection_due ON gatepost.notification_collection (due) WHERE NOT settled AND NOT separate;
      CREATE TABLE gatepost.notification_collected (
        id text PRIMARY KEY,
        collection text NOT NULL,
        n bigint GENERATED ALWAYS AS IDENTITY,
        body text NOT NULL
      );
      CREATE INDEX notification_collected_by ON gatepost.notification_collected (collection, n);
    `,
  },
  {
    version: 61,
    name: 'notifications: a change of state touches no index',
    sql: `
      DROP INDEX gatepost.notification_untold;
      CREATE INDEX notification_untold ON gatepost.notification (address) WHERE folded IS NOT NULL AND summary IS NULL;
      -- Room for the next versions of a row beside it.
      ALTER TABLE gatepost.notification SET (fillfactor = 60);
    `,
  },
  {
    version: 62,
    name: 'summaries are claimed in parts',
    sql: `
      -- The summary that its folded rows are being given to.
      ALTER TABLE gatepost.notification_storm ADD COLUMN claim text, ADD COLUMN claim_message_id text;
      CREATE INDEX notification_told ON gatepost.notification (summary) WHERE summary IS NOT NULL;
    `,
  },
  {
    version: 63,
    name: 'summaries know the names of rules',
    sql: `
      -- Of what was folded or is collected: a summary shows it beside the ID.
      ALTER TABLE gatepost.notification ADD COLUMN rule_name text;
    `,
  },
];
