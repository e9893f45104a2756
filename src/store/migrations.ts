/** One step of the schema. Steps are never changed once released: what comes later is a further step. */
export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
}

export const MIGRATIONS: readonly Migration[] = [
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
];
