import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newTraceId } from '../../src/message/trace-id.js';
import { openDatabase } from '../../src/store/database.js';
import { migrate } from '../../src/store/migrate.js';
import { openStore, openStoreForCommand } from '../../src/store/open.js';
import { silentLog } from '../../src/telemetry/log.js';
import { startTestStore, type TestStore } from '../support/postgres.js';
import { until } from '../support/until.js';
import { delivery, entry, item } from './records.js';

describe('the store', () => {
  let test: TestStore;
  beforeAll(async () => {
    test = await startTestStore();
  });
  afterAll(async () => {
    await test.stop();
  });

  describe('journal', () => {
    it('gives back what was recorded, with later deliveries in order', async () => {
      const { journal } = test.store;
      const recorded = entry();
      journal.record(recorded);
      journal.delivered(recorded.id, [delivery('deferred', '2026-11-21T10:01:00Z')]);
      await journal.flush();
      journal.delivered(recorded.id, [delivery('delivered', '2026-11-21T10:06:00Z')]);
      await journal.flush();
      const found = await journal.find(recorded.id);
      expect(found).toEqual({
        ...recorded,
        deliveries: [
          delivery('spooled'),
          delivery('deferred', '2026-11-21T10:01:00Z'),
          delivery('delivered', '2026-11-21T10:06:00Z'),
        ],
      });
      expect(await journal.find(newTraceId())).toBeUndefined();
    });

    it('takes deliveries of a message whose row comes later', async () => {
      const { journal } = test.store;
      const late = entry({ deliveries: [] });
      journal.delivered(late.id, [delivery('delivered')]);
      await journal.flush();
      journal.record(late);
      await journal.flush();
      expect((await journal.find(late.id))?.deliveries).toEqual([delivery('delivered')]);
    });

    it('writes a repeated line once', async () => {
      const { journal } = test.store;
      const twice = entry();
      journal.record(twice);
      journal.record(twice);
      await journal.flush();
      journal.record(twice);
      await journal.flush();
      expect((await journal.find(twice.id))?.deliveries).toHaveLength(1);
    });

    it('finds by Message-ID, newest first', async () => {
      const { journal } = test.store;
      const messageId = `${newTraceId()}@example.net`;
      const older = entry({ messageId });
      const newer = entry({ messageId });
      journal.record(older);
      journal.record(newer);
      await journal.flush();
      expect((await journal.findByMessageId(messageId)).map(({ id }) => id)).toEqual([newer.id, older.id]);
    });

    it('finds a Message-ID of any length, with what PostgreSQL takes no text with', async () => {
      const { journal } = test.store;
      const messageId = `${newTraceId()}${'x'.repeat(20_000)}\0@x`;
      const long = entry({ messageId });
      journal.record(long);
      await journal.flush();
      expect((await journal.findByMessageId(messageId)).map(({ id }) => id)).toEqual([long.id]);
    });

    it('has no index that grows dear with the rows of one key: a sender chooses its Message-ID', async () => {
      const { connection } = test.store;
      const database = openDatabase(connection, silentLog());
      try {
        const { rows } = await database.pool.query(
          `SELECT indexname FROM pg_indexes WHERE schemaname = 'gatepost' AND indexdef NOT LIKE '% USING btree %' AND indexdef NOT LIKE '% USING gin %'`,
        );
        expect(rows).toEqual([]);
      } finally {
        await database.close();
      }
    });

    it('survives what a hostile header may hold', async () => {
      const { journal } = test.store;
      const hostile = entry({
        subject: `nul \0 half \ud800 \\u0000 "quoted' \\ \u2028`,
        messageId: `${newTraceId()}\0@x`,
      });
      journal.record(hostile);
      await journal.flush();
      const found = await journal.find(hostile.id);
      expect(found?.subject).toBe(`nul \ufffd half \ufffd \\u0000 "quoted' \\ \u2028`);
      expect(journal.lost).toBe(0);
    });

    it('writes hundreds of lines', async () => {
      const { journal } = test.store;
      const many = Array.from({ length: 700 }, () => entry());
      for (const one of many) journal.record(one);
      await journal.flush();
      const last = many.at(-1);
      expect(last === undefined ? undefined : (await journal.find(last.id))?.id).toBe(last?.id);
      expect(journal.lost).toBe(0);
    });
  });

  it('serves a command beside the gateway, and outlives it', async () => {
    const command = await openStoreForCommand({ store: 'embedded', data: test.dataFolder });
    await command?.ping();
    await command?.close();
    await test.store.ping();
    expect(command?.name).toBe('embedded PostgreSQL');
  });

  it('leaves no connection behind that would keep its process running, whatever it was used for', async () => {
    const database = openDatabase(test.store.connection, silentLog());
    await database.pool.query('SELECT 1');
    await database.close();
    expect(database.pool.totalCount).toBe(0);
  });

  it('makes its schema once when several nodes start together, and refuses one that is newer', async () => {
    const database = openDatabase({ ...test.store.connection, max: 6 }, silentLog());
    await database.pool.query('DROP SCHEMA IF EXISTS gatepost_elsewhere CASCADE');
    const clients = await Promise.all([1, 2, 3, 4].map(async () => await database.pool.connect()));
    const step = { version: 99, name: 'test', sql: 'CREATE TABLE gatepost.only_once (n integer)' };
    const { MIGRATIONS } = await import('../../src/store/migrations.js');
    await Promise.all(clients.map(async (client) => await migrate(client, [...MIGRATIONS, step])));
    const [first] = clients;
    if (first === undefined) throw new Error('no client');
    await expect(migrate(first)).rejects.toThrow('schema version 99');
    await first.query('DROP TABLE gatepost.only_once; DELETE FROM gatepost.migration WHERE version = 99');
    for (const client of clients) client.release();
    await database.close();
  });
});

describe('a store by URL', () => {
  it('opens although the server is down, counts what it cannot keep, and works when the server comes', async () => {
    const test = await startTestStore();
    const { connection } = test.store;
    await test.store.close();
    const data = await mkdtemp(path.join(tmpdir(), 'gatepost-url-'));
    const url = `postgresql://gatepost@localhost/postgres?host=${encodeURIComponent(connection.host ?? '')}`;
    const store = await openStore({ store: url, data }, silentLog());
    const waiting = entry();
    store.journal.record(waiting);
    await expect(store.ping()).rejects.toThrow('does not answer');
    await expect(store.quarantine.put(item(), [Buffer.from('abc')])).rejects.toThrow('does not answer');
    for (let i = 0; i < 10_500; i++) store.journal.record(entry());
    expect(store.journal.lost).toBe(501);

    const server = await openStore({ store: 'embedded', data: test.dataFolder }, silentLog());
    await until('the journal', async () => {
      await store.journal.flush();
      return await store.journal.find(waiting.id);
    });
    expect(store.journal.lost).toBe(501);
    await store.close();
    await server.close();
    if (test.store.embedded !== undefined) await rm(test.store.embedded.folder, { recursive: true });
    await rm(test.dataFolder, { recursive: true });
    await rm(data, { recursive: true });
  });

  it('refuses a second gateway on the data folder, and says in its name no secret', async () => {
    const data = await mkdtemp(path.join(tmpdir(), 'gatepost-url-'));
    const config = { store: 'postgres://user:secret@127.0.0.1:1/db', data };
    const store = await openStore(config, silentLog());
    await expect(openStore(config, silentLog())).rejects.toThrow('Another gateway');
    expect(store.name).toBe('postgres://127.0.0.1:1/db');
    await store.close();
    await rm(data, { recursive: true });
  });

  it('tells a command that there is nothing, or that nothing answers', async () => {
    const data = await mkdtemp(path.join(tmpdir(), 'gatepost-url-'));
    expect(await openStoreForCommand({ store: 'embedded', data })).toBeUndefined();
    await expect(openStoreForCommand({ store: 'postgres://127.0.0.1:1/db', data })).rejects.toThrow('does not answer');
    await rm(data, { recursive: true });
  });
});

describe('a database that takes no writes', () => {
  it('counts as one that is away, and its connections are not kept', async () => {
    const test = await startTestStore();
    const database = openDatabase(test.store.connection, silentLog());
    await database.ping();
    const alter = async (change: string): Promise<void> => {
      await database.pool.query(
        `BEGIN READ WRITE; ALTER DATABASE postgres ${change}; COMMIT;
         SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'gatepost' AND pid <> pg_backend_pid()`,
      );
    };
    await alter('SET default_transaction_read_only = on');
    const fresh = openDatabase(test.store.connection, silentLog());
    await expect(fresh.ping()).rejects.toMatchObject({ code: 'read-only', message: /takes no writes/ });
    await alter('RESET default_transaction_read_only');
    // A connection of before would stay read-only.
    expect(fresh.pool.totalCount).toBe(0);
    await fresh.ping();
    await Promise.all([fresh.close(), database.close()]);
    await test.stop();
  });
});

describe('a command without a gateway', () => {
  it('starts the server for its own time', async () => {
    const test = await startTestStore();
    const kept = entry();
    test.store.journal.record(kept);
    await test.store.journal.flush();
    await test.store.close();
    const config = { store: 'embedded', data: test.dataFolder };
    const [one, two] = await Promise.all([
      openStoreForCommand(config).then(async (store) => {
        const found = await store?.journal.find(kept.id);
        await store?.close();
        return found;
      }),
      openStoreForCommand(config).then(async (store) => {
        const found = await store?.journal.find(kept.id);
        await store?.close();
        return found;
      }),
    ]);
    expect([one?.id, two?.id]).toEqual([kept.id, kept.id]);
    expect(one?.time).toEqual(kept.time);
    await test.stop();
  });
});
