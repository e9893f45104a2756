import { mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { eachCorruptItem } from '../../src/delivery/corrupt-list.js';
import { eachSpoolItem } from '../../src/delivery/spool-list.js';
import { addToSpool } from '../support/spool.js';
import type { QueueAction } from '../../src/delivery/types.js';
import { newTraceId } from '../../src/message/trace-id.js';
import { startFakeSmtp, type FakeSmtp } from '../support/fake-smtp.js';
import { request, setting, type Setting, type SettingOptions } from './set-up.js';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const FAR: SettingOptions = {
  delivery: { retry: { delays: [3_600_000], lifetime: 86_400_000, warnAfter: 'off' } },
};

async function deferred(): Promise<{ made: Setting; server: FakeSmtp; key: string }> {
  const server = await startFakeSmtp({ script: { rcpt: '450 4.2.1 later' } });
  closing.push(() => server.close());
  const made = await setting([server.url], FAR);
  closing.push(() => made.close());
  const mail = request();
  await made.delivery.deliver(mail);
  server.script = {};
  return { made, server, key: mail.item };
}

const spoolOf = ({ folder }: Setting): string => path.join(folder, 'data', 'spool');
const run = async ({ delivery }: Setting, action: QueueAction, ids: readonly string[], bounce = false) =>
  (await delivery.command({ action, ids, bounce })).results;

describe('commands on spooled items', () => {
  test('retry tries them now, whatever their delay', async () => {
    const { made, server, key } = await deferred();
    expect(await run(made, 'retry', [key])).toEqual([{ id: key, outcome: 'done' }]);
    await expect.poll(() => server.mails.length).toBe(1);
    await expect.poll(made.list).toEqual([]);
  });

  test('retry of all tries all but the held ones', async () => {
    const { made, server, key } = await deferred();
    const other = request();
    server.script = { rcpt: '450 4.2.1 later' };
    await made.delivery.deliver(other);
    server.script = {};
    await run(made, 'hold', [other.item]);
    expect(await made.delivery.command({ action: 'retry', ids: [], all: true })).toEqual({ results: [], count: 1 });
    await expect.poll(async () => (await made.list()).map(({ id }) => id)).toEqual([other.item]);
    expect(server.mails.length).toBe(1);
    expect(key).not.toBe(other.item);
  });

  test('a held item is not tried, also after a restart, until it is unheld', async () => {
    const { made, server, key } = await deferred();
    expect(await run(made, 'hold', [key])).toEqual([{ id: key, outcome: 'done' }]);
    expect(await run(made, 'retry', [key])).toMatchObject([{ id: key, outcome: 'refused' }]);
    await made.queue.close();
    await made.delivery.close();
    const again = await setting([server.url], { ...FAR, folder: made.folder });
    closing.push(() => again.close());
    const free = request();
    await addToSpool(spoolOf(again), free);
    await expect.poll(() => server.mails.length).toBe(1);
    expect(await again.list()).toMatchObject([{ id: key, recipients: [{ nextAttempt: null }] }]);
    await run(again, 'unhold', [key]);
    await run(again, 'retry', [key]);
    await expect.poll(() => server.mails.length).toBe(2);
  });

  test('drop tells nobody unless asked, and is on record', async () => {
    const { made, key } = await deferred();
    expect(await run(made, 'drop', [key])).toEqual([{ id: key, outcome: 'done' }]);
    expect(await made.list()).toEqual([]);
    expect(made.records).toMatchObject([{ item: key, state: 'dropped', recipient: 'b@example.net' }]);
  });

  test('drop with a bounce leaves a DSN to the sender in the spool', async () => {
    const { made, server, key } = await deferred();
    await run(made, 'drop', [key], true);
    await expect.poll(() => server.mails.map(({ rcptTo }) => rcptTo)).toEqual([['TO:<a@example.org> NOTIFY=NEVER']]);
    expect(made.records).toContainEqual(expect.objectContaining({ item: key, state: 'dropped' }));
  });

  test('a trace ID means all copies, and an unknown one is said to be missing', async () => {
    const { made, key } = await deferred();
    const copies = [1, 2].map((n) => ({ ...request(), item: `${key}.${n}` }));
    for (const copy of copies) await made.delivery.spool({ ...copy, route: 'smtp://127.0.0.1:1?tls=off' });
    expect((await run(made, 'hold', [`${key}.2`])).map(({ id }) => id)).toEqual([`${key}.2`]);
    const all = await run(made, 'hold', [key.toLowerCase()]);
    expect(all.map(({ id }) => id).sort()).toEqual([key, `${key}.1`, `${key}.2`]);
    expect(await run(made, 'drop', [`${key}.3`])).toEqual([{ id: `${key}.3`, outcome: 'missing' }]);
  });
});

describe('recovery', () => {
  test('what is no whole item is set aside with its reason, and can be put back once it is whole', async () => {
    const { made, server, key } = await deferred();
    await made.queue.close();
    await made.delivery.close();
    const spool = spoolOf(made);
    const text = await readFile(path.join(spool, `${key}.json`), 'utf8');
    const others = new Map<string, string>();
    /** A trace ID of its own for each letter, none of which is that of the item. */
    const name = (letter: string): string => {
      const known = others.get(letter) ?? newTraceId();
      others.set(letter, known);
      return known;
    };
    const newer = name('X');
    await writeFile(path.join(spool, `${newer}.json`), text.replace('"version": 1', '"version": 2'));
    await writeFile(path.join(spool, `${newer}.eml`), 'x');
    await mkdir(path.join(spool, `${name('Y')}.json`));
    await writeFile(path.join(spool, `${name('Y')}.eml`), 'x');
    await symlink('/dev/null', path.join(spool, `${name('Z')}.json`));
    await writeFile(path.join(spool, `${name('Z')}.eml`), 'x');
    await writeFile(
      path.join(spool, `${name('W')}.json`),
      text.replaceAll('"waiting"', '"delivered"').replace(key, name('W')),
    );
    await rename(path.join(spool, `${key}.eml`), path.join(spool, `${name('W')}.eml`));
    await writeFile(path.join(spool, 'notes.txt'), 'x');
    await writeFile(path.join(spool, 'incoming', `${name('V')}.json`), '{');
    const again = await setting([server.url], { ...FAR, folder: made.folder });
    closing.push(() => again.close());
    const reasons = new Map<string, string>();
    for await (const item of eachCorruptItem(spool)) reasons.set(item.name, item.reason);
    expect(Object.fromEntries(reasons)).toMatchObject({
      [key]: 'its .eml is missing',
      [newer]: 'the item was written by a later Gatepost (version 2 of the file)',
      [name('V')]: 'its .eml is missing',
      [name('W')]: 'the item has no recipient that waits',
      [name('Y')]: 'what has its name is no file',
      [name('Z')]: 'what has its name is no file',
      'notes.txt': 'not noted',
    });
    expect(await again.list()).toEqual([]);
    expect(await run(again, 'requeue', [key])).toMatchObject([{ outcome: 'refused', detail: 'its .eml is missing' }]);
    await rename(path.join(spool, 'corrupt', `${name('W')}.eml`), path.join(spool, 'corrupt', `${key}.eml`));
    expect(await run(again, 'requeue', [`${key}.json`])).toEqual([{ id: `${key}.json`, outcome: 'done' }]);
    await expect.poll(() => server.mails.length).toBe(1);
    expect((await readdir(path.join(spool, 'corrupt'))).filter((file) => file.startsWith(key))).toEqual([]);
  });

  test('a message whose bytes have changed is set aside, and put back only when its checksum fits or is taken out', async () => {
    const { made, server, key } = await deferred();
    const spool = spoolOf(made);
    const corrupt = path.join(spool, 'corrupt');
    const good = await readFile(path.join(spool, `${key}.eml`), 'latin1');
    const changed = `${good.slice(0, -5)}X${good.slice(-4)}`;
    await writeFile(path.join(spool, `${key}.eml`), changed, 'latin1');
    await run(made, 'retry', [key]);
    await expect
      .poll(async () => (await readdir(corrupt)).sort())
      .toEqual([`${key}.eml`, `${key}.json`, `${key}.reason`]);
    expect(server.mails.length).toBe(0);
    for await (const item of eachCorruptItem(spool)) expect(item.problem).toContain('take "crc32" out of the .json');
    expect(await run(made, 'requeue', [key])).toMatchObject([
      { outcome: 'refused', detail: expect.stringMatching(/^the bytes of the message/) as unknown },
    ]);
    const text = await readFile(path.join(corrupt, `${key}.json`), 'utf8');
    await writeFile(path.join(corrupt, `${key}.json`), text.replace(/ *"crc32": "[0-9a-f]{8}",\n/, ''));
    expect(await run(made, 'requeue', [key])).toEqual([{ id: key, outcome: 'done' }]);
    await expect.poll(() => server.mails.length).toBe(1);
    expect(server.mails[0]?.bytes.toString('latin1')).toContain(changed.slice(-20));
  });

  test('an item that is set aside never takes the place of another', async () => {
    const { made, server, key } = await deferred();
    await made.queue.close();
    await made.delivery.close();
    const spool = spoolOf(made);
    await writeFile(path.join(spool, 'corrupt', `${key}.eml`), 'the first');
    await writeFile(path.join(spool, `${key}.json`), '{');
    const again = await setting([server.url], { ...FAR, folder: made.folder });
    closing.push(() => again.close());
    expect(await readFile(path.join(spool, 'corrupt', `${key}.eml`), 'utf8')).toBe('the first');
    expect(await readFile(path.join(spool, 'corrupt', `${key}.2.json`), 'utf8')).toBe('{');
  });
});

test('2,000 items: all are seen at the start, listed in pages, and delivered', async () => {
  const first = await deferred();
  await first.made.queue.close();
  await first.made.delivery.close();
  const spool = spoolOf(first.made);
  const [json, eml] = await Promise.all(
    ['.json', '.eml'].map(async (end) => await readFile(path.join(spool, `${first.key}${end}`), 'utf8')),
  );
  await rm(path.join(spool, `${first.key}.json`));
  await rm(path.join(spool, `${first.key}.eml`));
  const keys = Array.from({ length: 2000 }, (_, i) => `${first.key.slice(0, -4)}${String(i).padStart(4, '0')}`);
  for (const key of keys) {
    await writeFile(path.join(spool, `${key}.eml`), eml ?? '');
    await writeFile(path.join(spool, `${key}.json`), (json ?? '').replaceAll(first.key, key));
  }
  const page: string[] = [];
  for await (const { item } of eachSpoolItem(spool, { after: keys[999] ?? '' })) page.push(item);
  expect(page).toEqual(keys.slice(1000));
  const again = await setting([first.server.url], { ...FAR, folder: first.made.folder });
  closing.push(() => again.close());
  expect(again.delivery.spoolState.items).toBe(2000);
  await expect.poll(() => first.server.mails.length).toBe(2000);
  await expect.poll(() => again.delivery.spoolState.items).toBe(0);
});
