import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { EventCondition, EventTransition } from '../../src/store/types.js';
import { startTestStore, type TestStore } from '../support/postgres.js';

let test: TestStore;
beforeAll(async () => {
  test = await startTestStore();
});
afterAll(async () => {
  await test.stop();
});
beforeEach(async () => {
  await test.store.events.prune(new Date('2100-01-01'));
  for (const condition of await test.store.events.active())
    await test.store.events.write([resolved(condition, '2026-01-01T00:00:00Z')], []);
  await test.store.events.prune(new Date('2100-01-01'));
});

function condition(values: Partial<EventCondition> = {}): EventCondition {
  const time = new Date('2026-11-21T10:00:00Z');
  return {
    event: 'disk-low',
    node: 'gw1',
    subject: '',
    severity: 'error',
    detail: 'little is left',
    first: time,
    last: time,
    ...values,
  };
}

function raised(given: EventCondition): EventTransition {
  return { id: randomUUID(), change: 'raised', condition: given };
}

function resolved(given: EventCondition, at: string): EventTransition {
  return { id: randomUUID(), change: 'resolved', condition: { ...given, resolvedAt: new Date(at) } };
}

describe('the state of events in the store', () => {
  it('keeps a condition by event, node and subject, and its end', async () => {
    const { events } = test.store;
    const full = condition({ subject: 'a\0b', lastSuccess: new Date('2026-11-21T09:00:00Z') });
    await events.write([raised(full), raised(condition({ node: 'gw2' })), raised(condition())], []);
    expect(await events.active()).toEqual([condition(), { ...full, subject: 'a\ufffdb' }, condition({ node: 'gw2' })]);
    await events.write([resolved(full, '2026-11-21T11:00:00Z')], []);
    expect(await events.active('gw1')).toEqual([condition()]);
    expect(await events.resolved(new Date('2026-11-21T11:00:00Z'))).toEqual([
      { ...full, subject: 'a\ufffdb', resolvedAt: new Date('2026-11-21T11:00:00Z') },
    ]);
    expect(await events.resolved(new Date('2026-11-21T11:00:01Z'))).toEqual([]);
  });

  it('an occurrence changes what is known of it, and is no transition', async () => {
    const { events } = test.store;
    const before = await events.lastTransition();
    await events.write([raised(condition())], []);
    const later = condition({
      last: new Date('2026-11-21T12:00:00Z'),
      severity: 'critical',
      detail: 'nothing is left',
    });
    await events.write([], [later]);
    await events.write(
      [],
      [condition({ last: new Date('2026-11-21T11:00:00Z'), severity: 'critical', detail: later.detail })],
    );
    expect(await events.active()).toEqual([later]);
    expect(await events.transitions(before)).toHaveLength(1);
  });

  it('what is written twice stands once', async () => {
    const { events } = test.store;
    const before = await events.lastTransition();
    const batch = [raised(condition()), resolved(condition(), '2026-11-21T11:00:00Z')];
    await events.write(batch, []);
    await events.write(batch, []);
    expect(await events.active()).toEqual([]);
    expect((await events.transitions(before)).map(({ change }) => change)).toEqual(['raised', 'resolved']);
  });

  it('the same condition from several nodes is raised once and resolved once', async () => {
    const { events } = test.store;
    const before = await events.lastTransition();
    const gone = condition({ event: 'node-unavailable', node: 'gw3' });
    await Promise.all([1, 2, 3, 4].map(async () => await events.write([raised(gone)], [])));
    await Promise.all([1, 2, 3, 4].map(async () => await events.write([resolved(gone, '2026-11-21T11:00:00Z')], [])));
    expect((await events.transitions(before)).map(({ change }) => change)).toEqual(['raised', 'resolved']);
  });

  it('a condition that the database has lost is raised anew by its next occurrence', async () => {
    const { events } = test.store;
    const before = await events.lastTransition();
    await events.write([], [condition()]);
    expect(await events.active()).toEqual([condition()]);
    expect(await events.transitions(before)).toMatchObject([{ change: 'raised', condition: condition() }]);
  });

  it('a reader behind a mark misses no transition of many writers at once', async () => {
    const { events } = test.store;
    let mark = await events.lastTransition();
    const seen: string[] = [];
    const state = { writing: true };
    const reading = (async () => {
      while (state.writing || (await events.lastTransition()) > mark) {
        for (const { seq, id } of await events.transitions(mark, 7)) {
          mark = seq;
          seen.push(id);
        }
      }
    })();
    const written = Array.from({ length: 40 }, (_, n) => raised(condition({ subject: `s${n}` })));
    await Promise.all(written.map(async (one) => await events.write([one], [])));
    state.writing = false;
    await reading;
    expect(new Set(seen)).toEqual(new Set(written.map(({ id }) => id)));
    expect(seen).toHaveLength(written.length);
  });

  it('forgets what was over long ago, and nothing that holds', async () => {
    const { events } = test.store;
    const over = condition({ subject: 'over' });
    await events.write([raised(condition()), raised(over), resolved(over, '2026-11-21T11:00:00Z')], []);
    await events.prune(new Date(Date.now() + 60_000));
    expect(await events.resolved(new Date(0))).toEqual([]);
    expect(await events.active()).toEqual([condition()]);
  });
});
