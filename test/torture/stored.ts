import pg from 'pg';
import { z } from 'zod';
import { openStoreForCommand } from '../../src/store/open.js';

const rows = z.array(
  z.object({ id: z.string(), reply: z.string(), recipients: z.array(z.string()), rules: z.array(z.string()) }),
);
const kept = z.array(z.object({ id: z.string(), recipients: z.array(z.string()), whole: z.boolean() }));
const delivered = z.array(z.object({ message: z.string(), recipient: z.string(), state: z.string() }));
const ledger = z.array(z.object({ trace_id: z.string(), recipient: z.string(), state: z.string() }));

export type JournalRow = z.infer<typeof rows>[number];

/** What a gateway that has stopped has in its database. */
export interface Stored {
  readonly journal: ReadonlyMap<string, JournalRow>;
  /** `ID RECIPIENT` of what was recorded as delivered. */
  readonly deliveries: ReadonlySet<string>;
  readonly quarantine: ReadonlyMap<string, z.infer<typeof kept>[number]>;
  /** State of each notification by `ID RECIPIENT`. */
  readonly ledger: ReadonlyMap<string, string>;
}

/** Reads the embedded database of a data folder. */
export async function readStored(data: string): Promise<Stored> {
  const store = await openStoreForCommand({ store: 'embedded', data });
  if (store === undefined) throw new Error('there is no database');
  try {
    return await readFrom(store.connection);
  } finally {
    await store.close();
  }
}

/** Reads a database that runs. */
export async function readFrom(connection: pg.ClientConfig): Promise<Stored> {
  const client = new pg.Client(connection);
  try {
    await client.connect();
    const ask = async <T>(shape: z.ZodType<T>, sql: string): Promise<T> => shape.parse((await client.query(sql)).rows);
    const journal = await ask(
      rows,
      `SELECT id, entry->>'reply' AS reply, ARRAY(SELECT jsonb_array_elements_text(entry->'recipients')) AS recipients,
              ARRAY(SELECT d.value->'decision'->>'rule' FROM jsonb_array_elements(entry->'decisions') d) AS rules
       FROM gatepost.message`,
    );
    const items = await ask(
      kept,
      `SELECT id, recipients, size = (SELECT sum(length(c.bytes)) FROM gatepost.quarantine_chunk c WHERE c.id = q.id) AS whole
       FROM gatepost.quarantine q`,
    );
    const deliveries = await ask(delivered, `SELECT message, recipient, state FROM gatepost.delivery`);
    const told = await ask(
      ledger,
      `SELECT trace_id, recipient, state FROM gatepost.notification
       WHERE kind = 'rule' AND trace_id IS NOT NULL AND template <> 'webhook'`,
    );
    return {
      journal: new Map(journal.map((row) => [row.id, row])),
      deliveries: new Set(
        deliveries.filter(({ state }) => state === 'delivered').map((d) => `${d.message} ${d.recipient}`),
      ),
      quarantine: new Map(items.map((item) => [item.id, item])),
      ledger: new Map(told.map((one) => [`${one.trace_id} ${one.recipient}`, one.state])),
    };
  } finally {
    await client.end();
  }
}
