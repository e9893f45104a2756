import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EventMail, Mark } from '../../src/store/event-mail-types.js';
import { startTestStore, type TestStore } from '../support/postgres.js';

let test: TestStore;
beforeAll(async () => {
  test = await startTestStore();
});
afterAll(async () => {
  await test.stop();
});

const MARK: Mark = { seq: 3, mailSeq: 2, day: '2026-11-21', changeAt: 1_800_000_000_000 };
const AT = new Date('2026-11-21T12:00:00Z');
const CONDITION = {
  event: 'disk-low',
  node: 'gw1',
  subject: 'a "quoted" \u2028 subject',
  severity: 'error' as const,
  detail: 'ä',
  first: AT,
  last: AT,
  lastSuccess: AT,
};

function mail(id: string): EventMail {
  return {
    id,
    to: ['a@example.org'],
    language: 'en',
    kind: 'change',
    time: AT.getTime(),
    timezone: 'UTC',
    conditions: [CONDITION],
    changes: [{ change: 'raised', condition: CONDITION }],
    resolved: [{ ...CONDITION, resolvedAt: AT }],
  };
}

describe('mails about events', () => {
  it('a mark is moved on by exactly one of those who read it, with its mails', async () => {
    const { eventMails } = test.store;
    expect(await eventMails.isFirst()).toBe(true);
    expect(await eventMails.mark('set')).toBeUndefined();
    const first = await Promise.all(
      Array.from({ length: 10 }, async (_, i) => await eventMails.claim('set', 0, MARK, [mail(`first-${i}`)])),
    );
    expect(first.filter(Boolean)).toHaveLength(1);
    expect(await eventMails.isFirst()).toBe(false);
    expect(await eventMails.mark('set')).toEqual({ ...MARK, version: 1 });

    const { changeAt: _, ...quiet } = MARK;
    const second = await Promise.all(
      Array.from(
        { length: 10 },
        async (_, i) => await eventMails.claim('set', 1, { ...quiet, seq: 9 }, [mail(`second-${i}`)]),
      ),
    );
    expect(second.filter(Boolean)).toHaveLength(1);
    expect(await eventMails.mark('set')).toEqual({ ...quiet, seq: 9, version: 2 });
    expect(await eventMails.claim('set', 1, MARK, [mail('late')])).toBe(false);

    const owed = await eventMails.owed(10);
    expect(owed.map(({ id }) => id.replace(/\d$/, ''))).toEqual(['first-', 'second-']);
    expect(owed[0]).toEqual(mail(owed[0]?.id ?? ''));
  });

  it('a mail that is settled is owed no more, and forgotten when it is old', async () => {
    const { eventMails } = test.store;
    const [one, two] = await eventMails.owed(10);
    await eventMails.settle(one?.id ?? '');
    expect((await eventMails.owed(10)).map(({ id }) => id)).toEqual([two?.id]);
    await eventMails.prune(new Date(AT.getTime() + 1));
    expect((await eventMails.owed(10)).map(({ id }) => id)).toEqual([two?.id]);
  });
});
