import { sql, type RawBuilder } from 'kysely';
import type { TraceId } from '../message/trace-id.js';
import type { Log } from '../telemetry/log.js';
import { messageIdIs, type Database } from './database.js';
import { codeOf, messageOf } from './errors.js';
import { JournalBuffer, type BufferLimits } from './journal-buffer.js';
import { jsonbArray, toJsonb } from './json.js';
import type { DeliveryRecord, Journal, JournalEntry } from './types.js';

const LIMITS: BufferLimits = { lines: 10_000, size: 64 * 2 ** 20 };
/** What is written at a time, at most. */
const BATCH = { lines: 200, size: 4 * 2 ** 20 };
/**
 * How old the first line of a batch grows before it is written, in ms: so many times as long as the last batch took. While
 * the database is quick, batches are small and keep no one from its core for long; when it is busy, fewer and larger ones
 * cost it less.
 */
const AGE = { least: 4, most: 50, times: 2 };
/** Pause after a failed write, in ms; it doubles up to the last value. */
const PAUSE = { first: 250, last: 10_000 };

/**
 * One statement for a whole batch, with one parameter: an array of lines. A line with a time is a message, with or
 * without deliveries; one without is the deliveries of a message that is recorded on its own.
 */
const WRITE = `
  WITH line AS MATERIALIZED (
    SELECT value AS entry, ordinality FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY
  ), written AS (
    INSERT INTO gatepost.message (id, time, message_id, entry)
    SELECT entry->>'id', (entry->>'time')::timestamptz, entry->>'messageId', entry - 'deliveries'
    FROM line WHERE entry ? 'time' ORDER BY ordinality
    ON CONFLICT DO NOTHING
  )
  INSERT INTO gatepost.delivery (message, recipient, item, state, hop, reply, time, digest)
  SELECT entry->>'id', d.value->>'recipient', d.value->>'item', d.value->>'state', d.value->>'hop', d.value->>'reply',
         (d.value->>'time')::timestamptz,
         md5(jsonb_build_array(entry->'id', d.value->'recipient', d.value->'item', d.value->'state', d.value->'time')::text)::uuid
  FROM line, jsonb_array_elements(entry->'deliveries') WITH ORDINALITY AS d
  ORDER BY line.ordinality, d.ordinality
  ON CONFLICT DO NOTHING`;

export interface JournalWriter extends Journal {
  /** Writes what is left, for at most `patience` ms; what is not written then is lost. Nothing is recorded any more. */
  close(patience: number): Promise<void>;
}

/** The journal in a database. Its lines cost the caller one JSON.stringify each; the rest happens in batches. */
export function openJournal(database: Database, log: Log, limits: BufferLimits = LIMITS): JournalWriter {
  const buffer = new JournalBuffer(limits);
  const gone = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> | undefined;
  /** Lines that were ever taken in, and those that were written or given up. */
  let taken = 0;
  let settled = 0;
  /** ms that a line waits for others. */
  let age = AGE.least;
  /** As many of those taken in have to be written without delay. */
  let due = 0;
  let waiting: { readonly upTo: number; readonly resolve: () => void }[] = [];

  function push(line: string): void {
    if (gone.signal.aborted || !buffer.push(line)) {
      if (gone.signal.aborted) buffer.drop(0, 1);
      return;
    }
    taken += 1;
    if (buffer.length >= BATCH.lines) start();
    else timer ??= setTimeout(write, age);
  }

  function write(): void {
    clearTimeout(timer);
    timer = undefined;
    due = taken;
    start();
  }

  function start(): void {
    writing ??= drain().finally(() => {
      writing = undefined;
      if (buffer.length > 0 && !gone.signal.aborted) timer ??= setTimeout(write, age);
    });
  }

  async function drain(): Promise<void> {
    let pause = PAUSE.first;
    let failing = false;
    // What comes while a batch is written grows old, or to a batch, first: one of a few lines costs nearly as much.
    while ((settled < due || buffer.length >= BATCH.lines) && !gone.signal.aborted) {
      const batch = buffer.peek(BATCH.lines, BATCH.size);
      try {
        await database.ready();
        const begun = performance.now();
        const lost = await writeBatch(batch);
        age = Math.min(AGE.most, Math.max(AGE.least, AGE.times * (performance.now() - begun)));
        done(batch.length, lost);
        if (failing) log.info({ lost: buffer.lost }, 'the journal is written again');
        failing = false;
        pause = PAUSE.first;
      } catch (error) {
        if (!failing)
          log.warn(
            { reason: messageOf(error), waiting: buffer.length },
            'the journal cannot be written: lines wait in memory',
          );
        failing = true;
        await interruptible(pause, gone.signal);
        pause = Math.min(pause * 2, PAUSE.last);
      }
    }
  }

  /** Queries that are over grow old, one with the other: they are not to hold what they have sent. */
  function send(batch: readonly string[]): Promise<unknown> {
    const values = [jsonbArray(batch)];
    const sent = database.pool.query({ name: 'gatepost-journal', text: WRITE, values });
    return sent.finally(() => values.pop());
  }

  /** Writes lines; of a batch that the database refuses for its content, only the lines that are at fault are left out. */
  async function writeBatch(batch: readonly string[]): Promise<number> {
    try {
      await send(batch);
      return 0;
    } catch (error) {
      if (!isAboutContent(error)) throw error;
      if (batch.length === 1) {
        log.error({ reason: messageOf(error) }, 'a line of the journal cannot be written');
        return 1;
      }
      const half = batch.length >> 1;
      return (await writeBatch(batch.slice(0, half))) + (await writeBatch(batch.slice(half)));
    }
  }

  function done(count: number, lost: number): void {
    buffer.drop(count, lost);
    settled += count;
    for (const { upTo, resolve } of waiting) if (upTo <= settled) resolve();
    waiting = waiting.filter(({ upTo }) => upTo > settled);
  }

  async function flush(): Promise<void> {
    const upTo = taken;
    if (settled >= upTo) return;
    await new Promise<void>((resolve) => {
      waiting.push({ upTo, resolve });
      write();
    });
  }

  return {
    record: (entry) => push(toJsonb(entry)),
    delivered: (id, records) => {
      if (records.length > 0) push(toJsonb({ id, deliveries: records }));
    },
    flush,
    find: async (id) => (await load(database, sql<boolean>`id = ${id}`))[0],
    findByMessageId: async (messageId) => await load(database, messageIdIs(messageId)),
    get lost() {
      return buffer.lost;
    },
    close: async (patience) => {
      await Promise.race([flush(), interruptible(patience, gone.signal)]);
      gone.abort();
      clearTimeout(timer);
      if (writing !== undefined) await Promise.race([writing, interruptible(1000)]);
      const left = buffer.length;
      if (left > 0) {
        done(left, left);
        log.error({ lost: left }, 'lines of the journal are lost: the database was away to the end');
      }
    },
  };
}

async function load(database: Database, which: RawBuilder<boolean>): Promise<readonly JournalEntry[]> {
  await database.ready();
  const messages = await database.db
    .selectFrom('gatepost.message')
    .select(['id', 'entry'])
    .where(which)
    .orderBy('id', 'desc')
    .limit(1000)
    .execute();
  if (messages.length === 0) return [];
  const rows = await database.db
    .selectFrom('gatepost.delivery')
    .selectAll()
    .where(
      'message',
      'in',
      messages.map(({ id }) => id),
    )
    .orderBy('seq')
    .execute();
  const deliveries = new Map<TraceId, DeliveryRecord[]>();
  for (const { message, recipient, item, state, hop, reply, time } of rows) {
    const record: DeliveryRecord = { recipient, item, state, hop, reply, time };
    const known = deliveries.get(message);
    if (known === undefined) deliveries.set(message, [record]);
    else known.push(record);
  }
  return messages.map(({ id, entry }) => ({
    ...entry,
    time: new Date(entry.time),
    deliveries: deliveries.get(id) ?? [],
  }));
}

/** Data exceptions, broken constraints and exceeded limits: trying again will not help. */
function isAboutContent(error: unknown): boolean {
  return /^(22|23|54)[0-9A-Z]{3}$/.test(codeOf(error) ?? '');
}

async function interruptible(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted === true) return;
  await new Promise<void>((resolve) => {
    const over = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', over);
      resolve();
    };
    const timer = setTimeout(over, ms);
    signal?.addEventListener('abort', over, { once: true });
  });
}
