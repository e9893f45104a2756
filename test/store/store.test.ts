import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Envelope } from '../../src/message/envelope.js';
import { newTraceId } from '../../src/message/trace-id.js';
import { openDatabase } from '../../src/store/database.js';
import { migrate } from '../../src/store/migrate.js';
import { openStore, openStoreForCommand } from '../../src/store/open.js';
import type {
  DeliveryRecord,
  JournalDecision,
  JournalEntry,
  QuarantineItem,
  QuarantineRelease,
} from '../../src/store/types.js';
import { silentLog } from '../../src/telemetry/log.js';
import { startTestStore, type TestStore } from '../support/postgres.js';
import { until } from '../support/until.js';

const envelope: Envelope = {
  sender: 'Anna@example.net',
  recipients: [{ address: 'bob@example.org' }],
  client: '192.0.2.1',
  helo: 'mail.example.net',
  tls: false,
  trusted: false,
  smtpUtf8: false,
  eightBit: false,
};

function entry(values: Partial<JournalEntry> = {}): JournalEntry {
  return {
    id: newTraceId(),
    time: new Date('2026-11-21T10:00:00.123Z'),
    node: 'gw1',
    client: '192.0.2.1',
    helo: 'mail.example.net',
    sender: 'anna@example.net',
    recipients: ['bob@example.org'],
    subject: 'Hello',
    messageId: 'one@example.net',
    size: 2000,
    findings: [{ module: 'content', status: 'clean' }],
    modules: [{ module: 'content', status: 'clean', milliseconds: 1.5 }],
    decisions: [],
    audit: [],
    deliveries: [delivery('spooled')],
    reply: '250 2.0.0 Ok',
    ...values,
  };
}

function delivery(state: DeliveryRecord['state'], at = '2026-11-21T10:00:01Z'): DeliveryRecord {
  return { recipient: 'bob@example.org', item: 'x', state, hop: 'smtp://hop', reply: '250 ok', time: new Date(at) };
}

function item(values: Partial<QuarantineItem> = {}): QuarantineItem {
  return {
    id: newTraceId(),
    time: new Date(),
    node: 'gw1',
    envelope,
    recipients: ['bob@example.org'],
    subject: 'Hello',
    messageId: 'one@example.net',
    size: 3,
    rules: ['default'],
    findings: [{ module: 'signatures', status: 'infected', name: 'EICAR' }],
    state: 'stored',
    ...values,
  };
}

function decided(recipient: string): JournalDecision {
  return {
    recipient,
    decision: {
      rule: 'default',
      ruleName: 'Default',
      process: 'scan',
      action: 'reject',
      quarantine: true,
      fired: [],
      removals: [],
      tags: [],
      headers: { set: {}, add: {}, remove: [] },
      warn: [],
      disclaimer: [],
      copy: [],
      additional: [],
      notes: [],
    },
    considered: [],
    changes: [],
  };
}

async function collect(bytes: AsyncIterable<Buffer>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of bytes) pieces.push(piece);
  return Buffer.concat(pieces);
}

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

  describe('quarantine', () => {
    it('keeps the original byte for byte', async () => {
      const { quarantine } = test.store;
      const bytes = Buffer.alloc(1_500_000);
      for (let i = 0; i < bytes.length; i++) bytes[i] = (i * 7 + (i >> 8)) & 0xff;
      const stored = item({ size: bytes.length });
      await quarantine.put(stored, [bytes.subarray(0, 10), bytes.subarray(10, 1_000_003), bytes.subarray(1_000_003)]);
      expect(await quarantine.get(stored.id)).toEqual({ ...stored, decisions: [], releases: [] });
      expect(bytes.equals(await collect(quarantine.read(stored.id)))).toBe(true);
    });

    it('takes an ID once, also when it is put twice at the same time', async () => {
      const { quarantine } = test.store;
      const stored = item();
      await Promise.all([quarantine.put(stored, [Buffer.from('abc')]), quarantine.put(stored, [Buffer.from('abc')])]);
      await quarantine.put({ ...stored, subject: 'another' }, [Buffer.from('xyz')]);
      expect((await quarantine.get(stored.id))?.subject).toBe('Hello');
      expect((await collect(quarantine.read(stored.id))).toString()).toBe('abc');
    });

    it('keeps nothing of a message whose bytes end early', async () => {
      const { quarantine } = test.store;
      const stored = item();
      async function* broken(): AsyncGenerator<Buffer> {
        yield await Promise.resolve(Buffer.alloc(600_000));
        throw new Error('the file is gone');
      }
      await expect(quarantine.put(stored, broken())).rejects.toThrow('the file is gone');
      expect(await quarantine.get(stored.id)).toBeUndefined();
      await quarantine.put(stored, [Buffer.from('abc')]);
      expect((await collect(quarantine.read(stored.id))).toString()).toBe('abc');
    });

    it('is released once, however many try, and its journal says so', async () => {
      const { quarantine, journal } = test.store;
      const { id } = await put(item());
      journal.record(entry({ id, deliveries: [] }));
      await journal.flush();
      const release = (n: number): QuarantineRelease => ({
        item: `${id}.r${n}`,
        time: new Date(),
        node: 'gw1',
        recipients: ['bob@example.org', 'eve@example.org'],
      });
      for (const n of [1, 2, 3]) expect(await quarantine.claim(id, `c${n}`, false)).toBe(true);
      const done = await Promise.all([1, 2, 3].map((n) => quarantine.released(id, `c${n}`, release(n))));
      // Each took the claim of the one before over.
      expect(done).toEqual([false, false, true]);
      expect(await quarantine.claim(id, 'c4', false)).toBe(false);
      expect(await quarantine.get(id)).toMatchObject({ state: 'released', releases: [{ item: `${id}.r3` }] });
      expect(
        (await journal.find(id))?.deliveries.map(({ recipient, item, state }) => [recipient, item, state]),
      ).toEqual([
        ['bob@example.org', `${id}.r3`, 'released'],
        ['eve@example.org', `${id}.r3`, 'released'],
      ]);
      expect(await quarantine.claim(id, 'c5', true)).toBe(true);
      await quarantine.unclaim(id, 'c4');
      expect((await quarantine.get(id))?.state).toBe('releasing');
      await quarantine.unclaim(id, 'c5');
      expect((await quarantine.get(id))?.state).toBe('released');
    });

    it('is not deleted while it is being released', async () => {
      const { quarantine } = test.store;
      const { id } = await put(item());
      await quarantine.claim(id, 'c1', false);
      expect(await quarantine.delete(id)).toBe('releasing');
      await quarantine.unclaim(id, 'c1');
      expect((await quarantine.get(id))?.state).toBe('stored');
      expect(await quarantine.delete(id)).toBe('deleted');
    });

    it('adds the recipients of a copy that comes later', async () => {
      const { quarantine } = test.store;
      const first = item({ rules: ['a'] });
      const to = (address: string): Envelope => ({ ...envelope, recipients: [{ address }] });
      await quarantine.put({ ...first, decisions: [decided('bob@example.org')] }, [Buffer.from('abc')]);
      await quarantine.put(
        {
          ...first,
          envelope: to('eve@example.org'),
          recipients: ['eve@example.org', 'bob@example.org'],
          rules: ['b', 'a'],
          decisions: [decided('eve@example.org'), decided('bob@example.org')],
          size: 5,
        },
        [Buffer.from('other')],
      );
      const found = await quarantine.get(first.id);
      expect(found?.recipients).toEqual(['bob@example.org', 'eve@example.org']);
      expect(found?.envelope.recipients.map((r) => r.address)).toEqual(['bob@example.org', 'eve@example.org']);
      expect(found?.rules).toEqual(['a', 'b']);
      expect(found?.decisions.map((d) => d.recipient)).toEqual(['bob@example.org', 'eve@example.org']);
      expect((await collect(quarantine.read(first.id))).toString()).toBe('abc');
    });

    it('knows its size without looking at every item, and a probe leaves nothing', async () => {
      const { quarantine } = test.store;
      const before = await quarantine.total();
      await quarantine.probe();
      expect(await quarantine.total()).toEqual(before);
      const [one] = await Promise.all([put(item()), put(item()), put(item())]);
      expect(await quarantine.total()).toEqual({ items: before.items + 3, bytes: before.bytes + 9 });
      await quarantine.delete(one.id);
      expect(await quarantine.total()).toEqual({ items: before.items + 2, bytes: before.bytes + 6 });
    });

    it('deletes with all bytes, and says when there is nothing', async () => {
      const { quarantine } = test.store;
      const { id } = await put(item());
      expect(await quarantine.delete(id)).toBe('deleted');
      expect(await quarantine.delete(id)).toBe('missing');
      expect(await quarantine.claim(id, 'c1', true)).toBe(false);
      await expect(collect(quarantine.read(id))).rejects.toThrow('no message');
    });

    it('does not pass off a part for the whole', async () => {
      const { quarantine } = test.store;
      const { id } = await put(item({ size: 4 }));
      await expect(collect(quarantine.read(id))).rejects.toThrow('3 of 4 bytes');
    });

    it('lists by rule, finding, sender, recipient and time, newest first', async () => {
      const { quarantine } = test.store;
      const rule = newTraceId();
      const old = await put(item({ rules: [rule, 'b'], time: new Date('2020-01-01T00:00:00Z') }));
      const young = await put(item({ rules: [rule], recipients: ['Eve@example.org'], subject: 'nul \0' }));
      const ids = async (filter: Parameters<typeof quarantine.list>[0]): Promise<string[]> =>
        (await quarantine.list({ rule, ...filter })).map(({ id }) => id);
      expect(await ids({})).toEqual([young.id, old.id]);
      expect(await ids({ limit: 1 })).toEqual([young.id]);
      expect(await ids({ since: new Date('2021-01-01') })).toEqual([young.id]);
      expect(await ids({ until: new Date('2021-01-01') })).toEqual([old.id]);
      expect(await ids({ recipient: 'eve@EXAMPLE.org' })).toEqual([young.id]);
      expect(await ids({ sender: 'anna@example.net' })).toEqual([young.id, old.id]);
      expect(await ids({ sender: 'nobody@example.net' })).toEqual([]);
      for (const finding of ['EICAR', 'infected', 'signatures', 'signatures.infected'])
        expect(await ids({ finding })).toHaveLength(2);
      expect(await ids({ finding: 'clean' })).toEqual([]);
      expect(await ids({ finding: 'eic*' })).toHaveLength(2);
      expect(await ids({ finding: 'e_car' })).toEqual([]);
      expect(await ids({ recipient: '*@example.org' })).toHaveLength(2);
      expect(await ids({ recipient: '?ve@*' })).toEqual([young.id]);
      expect(await ids({ sender: '<>' })).toEqual([]);
      expect(await ids({ id: young.id.toLowerCase() })).toEqual([young.id]);
      expect(await ids({ id: young.id.slice(0, 20) })).toContain(young.id);
      expect((await quarantine.get(young.id))?.subject).toBe('nul \ufffd');
    });

    async function put(stored: QuarantineItem): Promise<QuarantineItem> {
      await test.store.quarantine.put(stored, [Buffer.from('abc')]);
      return stored;
    }
  });

  it('serves a command beside the gateway, and outlives it', async () => {
    const command = await openStoreForCommand({ store: 'embedded', data: test.dataFolder });
    await command?.ping();
    await command?.close();
    await test.store.ping();
    expect(command?.name).toBe('embedded PostgreSQL');
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
