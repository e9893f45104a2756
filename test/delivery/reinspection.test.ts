import { cp, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { SpoolItem } from '../../src/delivery/spool-item.js';
import type { Delivery } from '../../src/delivery/types.js';
import { newTraceId } from '../../src/message/trace-id.js';
import { startFakeSmtp, type FakeSmtp } from '../support/fake-smtp.js';
import { until } from '../support/until.js';
import { content, request, setting, type Setting } from './set-up.js';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function hop(): Promise<FakeSmtp> {
  const server = await startFakeSmtp();
  closing.push(() => server.close());
  return server;
}

type Reinspect = (
  item: SpoolItem,
  delivery: Delivery,
) => Promise<{ state: 'done' } | { state: 'again'; reason: string }>;

async function delivering(server: FakeSmtp, reinspect: Reinspect, folder?: string): Promise<Setting> {
  const opened: { delivery?: Delivery } = {};
  const made = await setting([server.url], {
    ...(folder === undefined ? {} : { folder }),
    options: {
      reinspect: async (item) =>
        opened.delivery === undefined ? { state: 'again', reason: 'not yet' } : await reinspect(item, opened.delivery),
    },
  });
  opened.delivery = made.delivery;
  closing.push(() => made.close());
  return made;
}

/** What the inspection of the gateway does with a copy that may pass: two copies of it, and a report. */
async function spoolCopies({ item, traceId }: SpoolItem, delivery: Delivery): Promise<void> {
  const parts = { item, traceId, replaces: item };
  await delivery.spool(request(parts, 'one@x.test'));
  await delivery.spool(request({ ...parts, item: `${item}.c1` }, 'copy@x.test'));
  const refused = { address: 'no@x.test', state: 'refused' as const, hop: '', reply: { code: 550, text: 'no' } };
  await delivery.reportRefused(request(parts, 'no@x.test'), [refused]);
}

async function defer({ delivery }: Setting): Promise<void> {
  const traceId = newTraceId();
  await delivery.spoolForInspection(request({ item: traceId, traceId }, 'one@x.test'), Date.now(), 'deferred');
}

const recipients = ({ mails }: FakeSmtp): string[] =>
  mails.flatMap(({ rcptTo }) => rcptTo.map((to) => /<.*>/.exec(to)?.[0] ?? to));
const PATIENCE = { timeout: 30_000 };
const ALL = ['<a@example.org>', '<copy@x.test>', '<one@x.test>'];

test('what a copy becomes is taken back when its inspection fails, and sent once when it does not', async () => {
  const server = await hop();
  let fails = 3;
  const made = await delivering(server, async (item, delivery) => {
    await spoolCopies(item, delivery);
    if (fails-- > 0) throw new Error('no room for the rest');
    return { state: 'done' };
  });
  await defer(made);
  await expect.poll(() => recipients(server).sort(), PATIENCE).toEqual(ALL);
  await expect.poll(made.list, PATIENCE).toEqual([]);
  expect(fails).toBe(-1);
  expect(recipients(server)).toHaveLength(3);
});

test('a process that dies before a copy has become something else leaves no duplicates', async () => {
  const server = await hop();
  const folder = await mkdtemp(path.join(os.tmpdir(), 'gatepost-delivery-'));
  closing.push(() => rm(folder, { recursive: true, force: true }));
  let over = (): void => undefined;
  const rest = new Promise<void>((resolve) => (over = resolve));
  let copied = (): void => undefined;
  const snapshot = new Promise<void>((resolve) => (copied = resolve));
  const first = await delivering(server, async (item, delivery) => {
    await spoolCopies(item, delivery);
    await cp(path.join(first.folder, 'data', 'spool'), path.join(folder, 'data', 'spool'), {
      recursive: true,
      filter: (file) => path.basename(file) !== 'lock',
    });
    copied();
    await rest;
    return { state: 'done' };
  });
  await defer(first);
  await snapshot;
  expect((await first.list()).length).toBe(4);
  // A hop that comes back, an admin and a sweep would all have them tried.
  await first.delivery.command({ action: 'retry', ids: [], all: true });
  expect(recipients(server)).toEqual([]);

  const again = await hop();
  const second = await delivering(
    again,
    async (item, delivery) => {
      await spoolCopies(item, delivery);
      return { state: 'done' };
    },
    folder,
  );
  await expect.poll(() => recipients(again).sort(), PATIENCE).toEqual(ALL);
  await expect.poll(second.list, PATIENCE).toEqual([]);
  over();
  await expect.poll(() => recipients(server).sort(), PATIENCE).toEqual(ALL);
  await expect.poll(first.list, PATIENCE).toEqual([]);
});

test('an item whose key merely begins like another is kept at the start', async () => {
  const server = await hop();
  server.script = { rcpt: '450 4.2.1 later' };
  const made = await setting([server.url], {
    delivery: { retry: { delays: [600_000], lifetime: 900_000, warnAfter: 'off' } },
  });
  const folder = await mkdtemp(path.join(os.tmpdir(), 'gatepost-delivery-'));
  closing.push(
    () => made.close(),
    () => rm(folder, { recursive: true, force: true }),
  );
  const traceId = newTraceId();
  await made.delivery.spool(request({ item: traceId, traceId, content: content() }));
  await made.delivery.spool(request({ item: `${traceId}.1`, traceId, replaces: `${traceId}.gone` }));
  await made.delivery.spool(request({ item: `${traceId}.2`, traceId }));
  // What is copied must not be changing: each was tried once, and waits.
  await until('the first attempts', async () => {
    const items = await made.list();
    return items.length === 3 && items.every(({ recipients }) => recipients.every(({ attempts }) => attempts > 0));
  });
  await cp(path.join(made.folder, 'data', 'spool'), path.join(folder, 'data', 'spool'), {
    recursive: true,
    filter: (file) => path.basename(file) !== 'lock',
  });
  const next = await setting([server.url], { folder });
  closing.push(() => next.close());
  expect((await next.list()).map(({ id }) => id)).toEqual([traceId, `${traceId}.1`, `${traceId}.2`]);
});
