import path from 'node:path';
import { expect, it } from 'vitest';
import { parseConfig, PROGRAM_FOLDER } from '../../src/config/load.js';
import { EVENT_QUEUE, EventMails } from '../../src/notifications/digest/event-mails.js';
import { MemoryEvents, MemoryMails } from '../../src/notifications/digest/memory.support.js';
import { loadTemplates } from '../../src/notifications/templates/load.js';
import { silentLog } from '../../src/telemetry/log.js';
import { MemoryBackend } from '../support/memory-queue.js';

const HOUR = 3_600_000;

it('nodes whose clocks differ go by one: neither the interval nor the day is that of the node that looks', async () => {
  const { config } = await parseConfig('domains: [example.org]\nnode: { timezone: UTC }\n', '/nowhere');
  const { templates } = await loadTemplates([path.join(PROGRAM_FOLDER, 'templates')], 'en');
  const events = new MemoryEvents();
  const mails = new MemoryMails();
  const shared = { time: Date.parse('2026-01-01T12:00:00Z') };
  const backends: MemoryBackend[] = [];
  const node = { name: 'gw1', address: '192.0.2.9', port: 25, comment: '', timezone: 'UTC' };

  async function look(ahead: number): Promise<void> {
    const queue = new MemoryBackend();
    backends.push(queue);
    const looking = new EventMails({
      config: () => config,
      settings: () => config.notifications,
      mydomain: () => 'example.org',
      time: () => Promise.resolve(shared.time),
      clock: { now: () => shared.time + ahead },
      queue,
      events,
      mails: Object.assign(mails, {
        owed: () => Promise.resolve([]),
        owedBy: () => Promise.resolve([]),
        settle: () => Promise.resolve(),
        prune: () => Promise.resolve(),
      }),
      ledger: { get: () => Promise.resolve(undefined), put: () => Promise.resolve() },
      transport: { name: 'server', send: () => Promise.reject(new Error('nothing is owed')) },
      templates,
      node: () => node,
      nodes: () => Promise.resolve(new Map()),
      log: silentLog(),
    });
    const jobs = queue.queue(EVENT_QUEUE);
    await jobs.add('once', { look: true });
    await expect.poll(async () => (await jobs.counts()).waiting).toBe(0);
    looking.close();
    await queue.close();
  }
  const written = (): string[] => mails.written.map(({ kind, time }) => `${kind} ${new Date(time).toISOString()}`);

  await look(0);
  events.raise('disk-low', shared.time);
  await look(0);
  const first = ['change 2026-01-01T12:00:00.000Z'];
  expect(written()).toEqual(first);
  // A change in the interval, and nodes that take it for over, not begun, or for the next day.
  events.raise('spool-backlog', shared.time);
  shared.time += 60_000;
  for (const ahead of [-90_000, HOUR, 13 * HOUR]) await look(ahead);
  expect(written()).toEqual(first);
  shared.time += 14 * 60_000;
  await look(-HOUR);
  expect(written()).toEqual([...first, 'change 2026-01-01T12:15:00.000Z']);
});
