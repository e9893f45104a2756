import type { Migration } from './migrations.js';

/** What commands and webhooks need of notifications. */
export const NOTIFICATION_STEPS: readonly Migration[] = [
  {
    version: 30,
    name: 'notifications: retries by hand, webhooks',
    sql: `
      ALTER TABLE gatepost.notification
        -- When it is tried again; null where that is not known.
        ADD COLUMN next_attempt timestamptz,
        -- Its lifetime counts from then.
        ADD COLUMN reopened_at timestamptz;
      CREATE INDEX notification_message_id ON gatepost.notification USING hash (message_id);

      -- What a worker needs to send one again that has had a final state.
      CREATE TABLE gatepost.notification_kept (
        id text PRIMARY KEY REFERENCES gatepost.notification ON DELETE CASCADE,
        queue text NOT NULL,
        -- JSON; no jsonb, which takes neither NUL nor half of a surrogate pair.
        job text NOT NULL,
        -- It was reopened, and has no final state yet.
        open boolean NOT NULL DEFAULT false
      );
      CREATE INDEX notification_kept_open ON gatepost.notification_kept (id) WHERE open;

      -- Final states that somebody has taken back.
      CREATE TABLE gatepost.notification_reopened (
        seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        id text NOT NULL REFERENCES gatepost.notification ON DELETE CASCADE,
        time timestamptz NOT NULL,
        who text NOT NULL,
        was text NOT NULL,
        reason text,
        attempts integer NOT NULL,
        last_reply text
      );
      CREATE INDEX notification_reopened_id ON gatepost.notification_reopened (id);

      -- Those that are to be tried at once.
      CREATE TABLE gatepost.notification_hurry (id text PRIMARY KEY, time timestamptz NOT NULL);

      -- How far each webhook has been told of events.
      CREATE TABLE gatepost.webhook_mark (hook text PRIMARY KEY, seq bigint NOT NULL);
      -- Calls about events that have no final state.
      CREATE TABLE gatepost.webhook_call (
        id text PRIMARY KEY,
        hook text NOT NULL,
        time timestamptz NOT NULL,
        call text NOT NULL
      );
      CREATE INDEX webhook_call_time ON gatepost.webhook_call (time);
    `,
  },
];
