import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Envelope } from '../../src/message/envelope.js';
import { newTraceId } from '../../src/message/trace-id.js';
import type { JournalDecision, QuarantineItem, QuarantineRelease } from '../../src/store/types.js';
import { startTestStore, type TestStore } from '../support/postgres.js';
import { decision, outcome } from '../notifications/support.js';
import { entry, envelope, item } from './records.js';

function decided(recipient: string): JournalDecision {
  return { ...outcome(recipient, decision([])), changes: [] };
}

async function collect(bytes: AsyncIterable<Buffer>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of bytes) pieces.push(piece);
  return Buffer.concat(pieces);
}

let test: TestStore;

beforeAll(async () => {
  test = await startTestStore();
});

afterAll(async () => {
  await test.stop();
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
    expect((await journal.find(id))?.deliveries.map(({ recipient, item, state }) => [recipient, item, state])).toEqual([
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
