import path from 'node:path';
import { expect, it } from 'vitest';
import { PROGRAM_FOLDER } from '../../config/load.js';
import type { EventMail } from '../../store/event-mail-types.js';
import type { LedgerEntry } from '../../store/types.js';
import { silentLog } from '../../telemetry/log.js';
import { loadTemplates } from '../templates/load.js';
import { sendEventMail } from './event-sender.js';

const MINUTE = 60_000;
const DAY = 86_400_000;
const START = Date.parse('2026-01-01T12:00:00Z');
const node = { name: 'gw1', address: '192.0.2.9', port: 25, comment: '', timezone: 'UTC' };
const mail: EventMail = {
  id: 'event-change/set/1',
  to: ['a@example.org', 'b@example.org'],
  language: 'en',
  kind: 'change',
  time: START,
  timezone: 'UTC',
  conditions: [],
  changes: [],
  resolved: [],
};

it('one that is sent again after its lifetime has a new one', async () => {
  const rows = new Map<string, LedgerEntry>();
  const clock = { time: START, now: (): number => clock.time };
  const { templates } = await loadTemplates([path.join(PROGRAM_FOLDER, 'templates')], 'en');
  const send = async () =>
    await sendEventMail(mail, {
      settings: () => ({
        charset: 'utf-8',
        from: 'gatepost@example.org',
        quotedPrintable: true,
        retry: { delays: [MINUTE], lifetime: 2 * DAY },
      }),
      mydomain: () => 'example.org',
      ledger: {
        get: (id) => Promise.resolve(rows.get(id)),
        put: (entry) => Promise.resolve(void rows.set(entry.id, entry)),
      },
      mails: { settle: () => Promise.resolve() },
      transport: {
        name: 'server',
        send: ({ recipients }) =>
          Promise.resolve({
            hopFailed: false,
            recipients: recipients.map(({ address }) => ({ address, state: 'deferred', reply: { text: 'later' } })),
          }),
      },
      templates,
      node: () => node,
      nodes: () => Promise.resolve(new Map()),
      log: silentLog(),
      clock,
    });
  const states = () => [...rows.values()].map(({ state }) => state);

  expect(await send()).toEqual({ again: START + MINUTE });
  clock.time = START + 2 * DAY - 1;
  expect(await send()).toEqual({ again: START + 2 * DAY });
  clock.time = START + 2 * DAY;
  expect(await send()).toBe('done');
  expect(states()).toEqual(['failed', 'failed']);

  clock.time = START + 5 * DAY;
  const [first] = rows.values();
  if (first === undefined) throw new Error('there is no row');
  const { reason: _, ...rest } = first;
  rows.set(first.id, { ...rest, state: 'queued', reopenedAt: new Date(clock.time) });
  expect(await send()).toEqual({ again: clock.time + MINUTE });
  expect(states()).toEqual(['queued', 'failed']);
  clock.time += 2 * DAY;
  expect(await send()).toBe('done');
  expect(states()).toEqual(['failed', 'failed']);
});
