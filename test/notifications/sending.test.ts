import { afterAll, describe, expect, it } from 'vitest';
import { newTraceId } from '../../src/message/trace-id.js';
import { notificationId } from '../../src/notifications/identity.js';
import { MemorySending } from '../../src/notifications/rate/memory.support.js';
import type { Asked, SendingRules, SendingStore } from '../../src/store/sending-types.js';
import { startTestStore } from '../support/postgres.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const LONG = process.env['TORTURE'] === 'long';
const T0 = Date.UTC(2026, 10, 22, 8);

const stored = await startTestStore();
afterAll(async () => {
  await stored.stop();
});

function asked(to: string, changes: Partial<Asked> & { readonly time?: number; readonly rule?: string } = {}): Asked {
  const traceId = newTraceId(changes.time ?? T0);
  const id = notificationId(traceId, 'rule-general', to);
  return {
    entry: {
      id,
      kind: 'rule',
      traceId,
      rule: changes.rule ?? 'inbound',
      group: 'general',
      to,
      template: 'rule-general',
      state: 'queued',
      attempts: 0,
      messageId: `${id}@example.org`,
      time: new Date(changes.time ?? T0),
    },
    address: to.toLowerCase(),
    source: changes.source ?? 'partner.example',
    ...(changes.wait === undefined ? {} : { wait: changes.wait }),
  };
}

const rules = (now: number, count = 3, per = HOUR, interval = 0): SendingRules => ({
  now,
  interval,
  rate: { count, per },
});
const identify = (to: string): { id: string; messageId: string } => ({
  id: `s-${to}-${String(ids++)}`,
  messageId: 'm@example.org',
});
let ids = 0;
let addresses = 0;
const newAddress = (): string => `List${String(addresses++)}@Example.org`;

async function states(store: SendingStore, mails: readonly Asked[], now: SendingRules): Promise<string[]> {
  return (await store.admit(mails, now)).map(({ state }) => state);
}

async function due(store: SendingStore, address: string, now: number): Promise<boolean> {
  return (await store.dueStorms(now, 100, false)).includes(address.toLowerCase());
}

async function claim(store: SendingStore, to: string, now: number) {
  return (await claimBy(1, store, to, now))[0];
}

/** Whoever ends it may end what another began, under the other's ID. */
async function claimBy(workers: number, store: SendingStore, to: string, now: number) {
  const identities = Array.from({ length: workers }, () => identify(to));
  const ended = await Promise.all(
    identities.map(async (identity) => await store.claimSummary(to.toLowerCase(), now, () => identity)),
  );
  const made = await Promise.all(identities.map(async ({ id }) => await store.summary(id)));
  const summaries = made.filter((each) => each !== undefined);
  expect(summaries).toHaveLength(ended.filter(Boolean).length);
  return summaries;
}

describe.each<[string, SendingStore]>([
  ['memory', new MemorySending()],
  ['PostgreSQL', stored.store.sending],
])('what may be sent, by %s', (_, store) => {
  it('so many for an address in a sliding window, whatever its case; further ones are folded', async () => {
    const to = newAddress();
    expect(await states(store, [asked(to), asked(to.toUpperCase())], rules(T0))).toEqual(['send', 'send']);
    const third = asked(to.toLowerCase());
    const fourth = asked(to);
    expect(await states(store, [third, fourth, asked(newAddress())], rules(T0 + 1000))).toEqual([
      'send',
      'over',
      'send',
    ]);
    // The first two leave the window, the third is in it still.
    const later = [asked(to), asked(to), asked(to)];
    expect(await states(store, later, rules(T0 + HOUR))).toEqual(['send', 'send', 'over']);
    // What was folded stays so, and what was counted is not counted again.
    expect(await states(store, [fourth, third], rules(T0 + HOUR + 2000))).toEqual(['over', 'send']);
    expect(await states(store, [asked(to), asked(to)], rules(T0 + HOUR + 2000))).toEqual(['send', 'over']);
  });

  it('without a rate all may go', async () => {
    const to = newAddress();
    const mails = Array.from({ length: 10 }, () => asked(to));
    expect(new Set(await states(store, mails, { now: T0, interval: 0 }))).toEqual(new Set(['send']));
  });

  it('attempts are counted, and a final state stays', async () => {
    const mail = asked(newAddress());
    const [first] = await store.admit([mail], rules(T0));
    expect(first).toMatchObject({ state: 'send', since: T0, entry: { attempts: 1, state: 'queued' } });
    const [second] = await store.admit([mail], rules(T0 + MINUTE));
    expect(second).toMatchObject({ state: 'send', since: T0, entry: { attempts: 2 } });
    if (second?.state !== 'send') throw new Error('not admitted');
    await store.record([{ entry: { ...second.entry, state: 'sent', lastReply: '250 ok' } }]);
    await store.record([{ entry: { ...second.entry, state: 'failed' } }]);
    expect(await states(store, [mail], rules(T0 + HOUR))).toEqual(['over']);
  });

  it('one summary as soon as there is room, and the next of a lasting storm a window after it', async () => {
    const to = newAddress();
    await store.admit([asked(to)], rules(T0));
    await store.admit([asked(to), asked(to)], rules(T0 + MINUTE));
    const folded = [asked(to, { rule: 'a' }), asked(to, { rule: 'b', source: 'x.example' }), asked(to, { rule: 'b' })];
    await store.admit(folded, rules(T0 + 2 * MINUTE));
    expect(await due(store, to, T0 + HOUR - 1)).toBe(false);
    expect(await due(store, to, T0 + HOUR)).toBe(true);
    // Those that come now take the room: the summary is due all the same.
    expect(await states(store, [asked(to), asked(to)], rules(T0 + HOUR))).toEqual(['send', 'over']);
    const made = await claimBy(5, store, to, T0 + HOUR);
    expect(made).toHaveLength(1);
    expect(made[0]).toMatchObject({
      total: 4,
      messages: 4,
      first: T0 + 2 * MINUTE,
      last: T0 + HOUR,
      rules: [
        { name: 'b', count: 2 },
        { name: 'a', count: 1 },
        { name: 'inbound', count: 1 },
      ],
      templates: [{ name: 'rule-general', count: 4 }],
      sources: [
        { name: 'partner.example', count: 3 },
        { name: 'x.example', count: 1 },
      ],
    });
    expect(made[0]?.traceIds).toEqual(expect.arrayContaining(folded.map(({ entry }) => entry.traceId)));
    // The storm goes on: there is room again a minute later, the next summary comes a window after the last.
    expect(await states(store, [asked(to), asked(to), asked(to)], rules(T0 + HOUR + MINUTE))).toEqual([
      'send',
      'send',
      'over',
    ]);
    expect(await due(store, to, T0 + 2 * HOUR - 1)).toBe(false);
    expect((await claim(store, to, T0 + 2 * HOUR))?.total).toBe(1);
    expect(await due(store, to, T0 + 9 * HOUR)).toBe(false);
  });

  it('an outbreak: at most as many as the rate says, and a summary whose counts are right', async () => {
    const total = LONG ? 50_000 : 2000;
    const to = newAddress();
    let sent = 0;
    let ofB = 0;
    for (let n = 0; n < total; n += 100) {
      const now = T0 + Math.floor((n / total) * 10 * MINUTE);
      const mails = Array.from({ length: Math.min(100, total - n) }, (_each, i) =>
        asked(to, { time: now, rule: (n + i) % 3 === 0 ? 'a' : 'b' }),
      );
      const admissions = await store.admit(mails, rules(now, 60));
      sent += admissions.filter(({ state }) => state === 'send').length;
      ofB += admissions.filter(({ state }, i) => state === 'over' && mails[i]?.entry.rule === 'b').length;
    }
    expect(sent).toBe(60);
    expect(await due(store, to, T0 + HOUR - 1)).toBe(false);
    expect(await due(store, to, T0 + HOUR)).toBe(true);
    const summary = await claim(store, to, T0 + HOUR);
    expect(summary).toMatchObject({ total: total - 60, messages: total - 60, first: T0 });
    expect(summary?.rules).toEqual([
      { name: 'b', count: ofB },
      { name: 'a', count: total - 60 - ofB },
    ]);
    expect(summary?.traceIds).toHaveLength(100);
  });

  it('workers that ask at the same time share one window', async () => {
    const to = newAddress();
    const answers = await Promise.all(
      Array.from({ length: 8 }, async () => await states(store, [asked(to), asked(to)], rules(T0, 5))),
    );
    expect(answers.flat().filter((state) => state === 'send')).toHaveLength(5);
  });

  it('each by itself at the end of its interval', async () => {
    const to = newAddress();
    const [one, two] = [asked(to, { wait: { how: 'separate' } }), asked(to, { wait: { how: 'separate' } })];
    const until = T0 + 15 * MINUTE;
    expect(await store.admit([one], rules(T0, 3, HOUR, 15 * MINUTE))).toEqual([{ state: 'wait', until }]);
    expect(await store.admit([two, one], rules(T0 + MINUTE, 3, HOUR, 15 * MINUTE))).toEqual([
      { state: 'wait', until },
      { state: 'wait', until },
    ]);
    expect(await store.dueCollections(until, 100)).toEqual([]);
    const [first, second] = await store.admit([one, two], rules(until, 3, HOUR, 15 * MINUTE));
    expect(first).toMatchObject({ state: 'send', since: until });
    expect(second).toMatchObject({ state: 'send' });
  });

  it('together in one mail, which counts as one and is retried as one', async () => {
    const to = newAddress();
    const now = rules(T0, 1, HOUR, 15 * MINUTE);
    const until = T0 + 15 * MINUTE;
    const mails = ['x', 'y', 'z'].map((body) => asked(to, { wait: { how: 'together', body } }));
    expect(await states(store, mails, now)).toEqual(['over', 'over', 'over']);
    expect(await states(store, mails, now)).toEqual(['over', 'over', 'over']);
    expect(await store.dueCollections(until - 1, 100)).toEqual([]);
    const [id = ''] = await store.dueCollections(until, 100);
    const collection = await store.startCollection(id, { ...now, now: until });
    expect(collection?.bodies).toEqual(['x', 'y', 'z']);
    expect(collection?.entries.map(({ attempts }) => attempts)).toEqual([1, 1, 1]);
    const again = await store.startCollection(id, { ...now, now: until + MINUTE });
    expect(again?.entries.map(({ attempts }) => attempts)).toEqual([2, 2, 2]);
    await store.record((again?.entries ?? []).map((entry) => ({ entry: { ...entry, state: 'sent' } })));
    await store.settleCollection(id);
    expect(await store.dueCollections(until + HOUR, 100)).toEqual([]);
    expect(await states(store, mails, { ...now, now: until + HOUR })).toEqual(['over', 'over', 'over']);

    // The next one finds no room.
    const late = ['v', 'w'].map((body) => asked(to, { wait: { how: 'together', body } }));
    await store.admit(late, { ...now, now: until });
    const [next = ''] = await store.dueCollections(until + 15 * MINUTE, 100);
    expect(await store.startCollection(next, { ...now, now: until + 15 * MINUTE })).toBeUndefined();
    expect((await claim(store, to, until + HOUR))?.total).toBe(2);
  });

  it('a collected mail holds so many; the others go into another of the same interval', async () => {
    const to = newAddress();
    const now = rules(T0 + 5 * HOUR, 10, HOUR, MINUTE);
    for (let n = 0; n < 3; n++)
      await store.admit(
        Array.from({ length: 50 }, () => asked(to, { wait: { how: 'together', body: 'b' } })),
        now,
      );
    const found = await store.dueCollections(now.now + MINUTE, 100);
    const sizes = await Promise.all(
      found.map(async (id) => (await store.startCollection(id, { ...now, now: now.now + MINUTE }))?.bodies.length ?? 0),
    );
    expect(sizes.sort((a, b) => a - b)).toEqual([50, 100]);
  });
});
