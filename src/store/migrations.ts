import { NOTIFICATION_STEPS } from './migration-notifications.js';

import { HOLD_MIGRATIONS } from './migrations-holds.js';
import { SENDING_MIGRATIONS } from './migrations-sending.js';

/** One step of the schema. Steps are never changed once released: what comes later is a further step. */
export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
}

export const MIGRATIONS: readonly Migration[] = [
  ...NOTIFICATION_STEPS,
  {
    version: 1,
    name: 'journal, quarantine, ledger',
    sql: `
      CREATE TABLE gatepost.message (
        id text PRIMARY KEY,
        time timestamptz NOT NULL,
        message_id text NOT NULL,
        -- The journal entry without its deliveries.
        entry jsonb NOT NULL
      );
      CREATE INDEX message_time ON gatepost.message (time);
      CREATE INDEX message_message_id ON gatepost.message USING hash (message_id);

      -- No foreign key: a delivery may be written before its message.
      CREATE TABLE gatepost.delivery (
        seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        message text NOT NULL,
        recipient text NOT NULL,
        item text NOT NULL,
        state text NOT NULL,
        hop text NOT NULL,
        reply text NOT NULL,
        time timestamptz NOT NULL,
        -- Digest of what makes it one event: a batch that is written twice stands once.
        digest uuid NOT NULL UNIQUE
      );
      CREATE INDEX delivery_message ON gatepost.delivery (message);

      CREATE TABLE gatepost.quarantine (
        id text PRIMARY KEY,
        time timestamptz NOT NULL,
        node text NOT NULL,
        envelope jsonb NOT NULL,
        recipients text[] NOT NULL,
        subject text NOT NULL,
        message_id text NOT NULL,
        size bigint NOT NULL,
        rules text[] NOT NULL,
        findings jsonb NOT NULL,
        state text NOT NULL CHECK (state IN ('stored', 'releasing', 'released'))
      );
      CREATE INDEX quarantine_time ON gatepost.quarantine (time);

      CREATE TABLE gatepost.quarantine_chunk (
        id text NOT NULL REFERENCES gatepost.quarantine ON DELETE CASCADE,
        n integer NOT NULL,
        bytes bytea NOT NULL,
        PRIMARY KEY (id, n)
      );
      -- Mail hardly compresses: spare the time.
      ALTER TABLE gatepost.quarantine_chunk ALTER COLUMN bytes SET STORAGE EXTERNAL;

      CREATE TABLE gatepost.notification (
        id text PRIMARY KEY,
        kind text NOT NULL,
        trace_id text,
        rule text,
        recipient_group text,
        recipient text NOT NULL,
        template text NOT NULL,
        state text NOT NULL,
        reason text,
        attempts integer NOT NULL,
        message_id text NOT NULL,
        last_reply text,
        time timestamptz NOT NULL
      );
      CREATE INDEX notification_trace_id ON gatepost.notification (trace_id) WHERE trace_id IS NOT NULL;
      CREATE INDEX notification_time ON gatepost.notification (time);
    `,
  },
  {
    version: 5,
    name: 'application events',
    sql: `
      CREATE TABLE gatepost.event (
        event text NOT NULL,
        node text NOT NULL,
        subject text NOT NULL,
        severity text NOT NULL,
        detail text NOT NULL,
        first timestamptz NOT NULL,
        last timestamptz NOT NULL,
        last_success timestamptz,
        -- Null while it holds.
        resolved_at timestamptz,
        PRIMARY KEY (event, node, subject)
      );
      CREATE TABLE gatepost.event_transition (
        seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        -- Made by the node, so that a transition that is written twice stands once.
        id uuid NOT NULL UNIQUE,
        change text NOT NULL CHECK (change IN ('raised', 'resolved')),
        event text NOT NULL,
        node text NOT NULL,
        subject text NOT NULL,
        severity text NOT NULL,
        detail text NOT NULL,
        first timestamptz NOT NULL,
        last timestamptz NOT NULL,
        last_success timestamptz,
        resolved_at timestamptz,
        recorded timestamptz NOT NULL DEFAULT now()
      );
      CREATE INDEX event_transition_resolved ON gatepost.event_transition (resolved_at) WHERE resolved_at IS NOT NULL;
      CREATE INDEX event_transition_recorded ON gatepost.event_transition (recorded);
    `,
  },
  {
    version: 2,
    name: 'quarantine: decisions, releases, size',
    sql: `
      ALTER TABLE gatepost.quarantine
        -- Decision trace of the recipients whose rule demanded it.
        ADD COLUMN decisions jsonb NOT NULL DEFAULT '[]',
        ADD COLUMN releases jsonb NOT NULL DEFAULT '[]',
        -- Who is just releasing it, and since when.
        ADD COLUMN claim text,
        ADD COLUMN claimed timestamptz;

      -- Sum of all originals, spread over rows so that stores at the same time seldom wait for each other.
      CREATE TABLE gatepost.quarantine_size (
        shard integer PRIMARY KEY,
        items bigint NOT NULL,
        bytes bigint NOT NULL
      ) WITH (fillfactor = 50);
      INSERT INTO gatepost.quarantine_size
        SELECT shard, count(q.id), COALESCE(sum(q.size), 0)
        FROM generate_series(0, 7) shard LEFT JOIN gatepost.quarantine q ON (hashtext(q.id) & 7) = shard
        GROUP BY shard;
      CREATE FUNCTION gatepost.count_quarantine() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF TG_OP = 'INSERT' THEN
          UPDATE gatepost.quarantine_size SET items = items + 1, bytes = bytes + NEW.size
          WHERE shard = hashtext(NEW.id) & 7;
        ELSE
          UPDATE gatepost.quarantine_size SET items = items - 1, bytes = bytes - OLD.size
          WHERE shard = hashtext(OLD.id) & 7;
        END IF;
        RETURN NULL;
      END $$;
      -- At the commit: the row of the sum is locked for that moment and not while an original is written.
      CREATE CONSTRAINT TRIGGER quarantine_counted AFTER INSERT OR DELETE ON gatepost.quarantine
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION gatepost.count_quarantine();
    `,
  },
  {
    version: 3,
    name: 'rule counters',
    sql: `
      CREATE TABLE gatepost.rule_count (
        rule text NOT NULL,
        -- Key of a response; empty for the rule itself.
        response text NOT NULL,
        -- In UTC; -infinity for all days that are not kept one by one any more.
        day date NOT NULL,
        matched bigint NOT NULL,
        decided bigint NOT NULL,
        audited bigint NOT NULL,
        last_hit timestamptz NOT NULL,
        PRIMARY KEY (rule, response, day)
      );
      CREATE INDEX rule_count_day ON gatepost.rule_count (day);
      -- Batches that were added: one that is written twice counts once.
      CREATE TABLE gatepost.rule_batch (id uuid PRIMARY KEY, time timestamptz NOT NULL DEFAULT now());
      -- Since when a rule has been in a set that a gateway ran, and when it was last.
      CREATE TABLE gatepost.rule_known (
        rule text PRIMARY KEY,
        first_seen timestamptz NOT NULL,
        last_seen timestamptz NOT NULL
      );
    `,
  },
  {
    version: 26,
    name: 'mails about events',
    sql: `
      CREATE TABLE gatepost.event_mail_mark (
        recipients text PRIMARY KEY,
        -- Grows with each change.
        version integer NOT NULL,
        seq bigint NOT NULL,
        mail_seq bigint NOT NULL,
        change_at timestamptz,
        day text NOT NULL
      );
      CREATE TABLE gatepost.event_mail (
        id text PRIMARY KEY,
        time timestamptz NOT NULL,
        mail jsonb NOT NULL,
        settled boolean NOT NULL
      );
      CREATE INDEX event_mail_owed ON gatepost.event_mail (time) WHERE NOT settled;
    `,
  },
  {
    version: 33,
    name: 'nodes',
    sql: `
      CREATE TABLE gatepost.node (
        name text PRIMARY KEY,
        -- Of its data folder, and of its run.
        installation uuid NOT NULL,
        run uuid NOT NULL,
        roles text[] NOT NULL,
        address text NOT NULL,
        port integer NOT NULL,
        comment text NOT NULL,
        timezone text NOT NULL,
        version text NOT NULL,
        rules text NOT NULL,
        -- ms that its clock is ahead of this database's.
        clock double precision NOT NULL,
        started timestamptz NOT NULL,
        last_seen timestamptz NOT NULL,
        rules_since timestamptz NOT NULL,
        -- Null while it runs, or should.
        stopped timestamptz
      );
      -- One row: who speaks for all, and for how long.
      CREATE TABLE gatepost.control_node (
        id integer PRIMARY KEY CHECK (id = 1),
        node text NOT NULL,
        run uuid NOT NULL,
        timezone text NOT NULL,
        since timestamptz NOT NULL,
        until timestamptz NOT NULL,
        preferred text
      );
    `,
  },
  ...SENDING_MIGRATIONS,
  ...HOLD_MIGRATIONS,
  {
    version: 71,
    name: 'indexes that many rows of one key, and many rows, leave fast',
    sql: `
      -- A hash index walks over all rows of a key to add one: a sender that always gives the same Message-ID, or none,
      -- made each message dearer than the one before.
      DROP INDEX gatepost.message_message_id;
      CREATE INDEX message_message_id ON gatepost.message (hashtextextended(message_id, 0));
      DROP INDEX gatepost.notification_message_id;
      CREATE INDEX notification_message_id ON gatepost.notification (hashtextextended(message_id, 0));

      -- Trace IDs grow with time: new rows go to the pages that are in memory, those of a digest alone to any.
      ALTER TABLE gatepost.delivery DROP CONSTRAINT delivery_digest_key, ADD UNIQUE (message, digest);
      DROP INDEX gatepost.delivery_message;
    `,
  },
];
