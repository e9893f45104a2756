import type { PoolClient } from 'pg';
import type { Window } from './admission.js';
import type { Database } from './database.js';
import type { SendingRules } from './sending-types.js';

/** Any number; with the hash of an address, a lock on what is sent to it. */
const ADDRESS_LOCK = 4_811_220_703;

/** How a transaction ends; whoever works in it may change that. */
export interface Ending {
  /** It is on disk when it has ended; else a little later, or with the next one that is. */
  durable: boolean;
  /** Its last statements, as nothing depends on what they say: the end goes along with them. */
  last?: Promise<unknown>;
}

/**
 * Runs it in one transaction of its own. What is sent without waiting goes in one piece, so that locks are held no longer
 * than the database needs: of a failure all that comes after it hears as well, and nothing is written.
 */
export async function inTransaction<T>(
  database: Database,
  work: (client: PoolClient, end: Ending) => Promise<T>,
): Promise<T> {
  await database.ready();
  const client = await database.pool.connect();
  let sound = false;
  try {
    const ending: Ending = { durable: true };
    const [, result] = await Promise.all([client.query('BEGIN'), work(client, ending)]);
    const end = client.query(ending.durable ? 'COMMIT' : 'SET LOCAL synchronous_commit = off; COMMIT');
    await Promise.all([ending.last, end]);
    sound = true;
    return result;
  } finally {
    // What failed is rolled back with its connection.
    client.release(!sound);
  }
}

/** Until the end of the transaction, nobody else decides on mails for these addresses. */
export async function lockAddresses(client: PoolClient, addresses: readonly string[]): Promise<void> {
  // Always in the same order, or two would wait for each other.
  await client.query({
    name: 'gatepost-lock-addresses',
    text: `SELECT pg_advisory_xact_lock(h) FROM (
             SELECT DISTINCT hashtextextended(a, $2::bigint) AS h FROM unnest($1::text[]) AS a ORDER BY h OFFSET 0) AS locks`,
    values: [addresses, ADDRESS_LOCK],
  });
}

/** How many mails the addresses got within the window of the rate. */
export async function windowsOf(
  client: PoolClient,
  addresses: readonly string[],
  { now, rate }: SendingRules,
): Promise<ReadonlyMap<string, Window>> {
  if (rate === undefined) return new Map();
  const { rows } = await client.query<{ address: string; count: string; oldest: Date | null }>({
    name: 'gatepost-windows',
    text: `SELECT a.address, w.count, w.oldest FROM unnest($1::text[]) AS a (address), LATERAL (
             SELECT count(*) AS count, min(counted) AS oldest FROM (
               SELECT counted FROM gatepost.notification
               WHERE address = a.address AND counted > $2 ORDER BY counted DESC LIMIT $3) AS newest) AS w`,
    values: [addresses, new Date(now - rate.per), rate.count],
  });
  return new Map(
    rows.map(({ address, count, oldest }) => [
      address,
      { count: Number(count), ...(oldest === null ? {} : { oldest: oldest.getTime() }) },
    ]),
  );
}
