import { readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { LockedError } from '../../src/store/process-lock.js';
import { readSpoolItem } from '../../src/delivery/spool-list.js';
import { addToSpool } from '../support/spool.js';
import { SpoolFullError } from '../../src/delivery/types.js';
import { closedAfterEach, request, setting, TEXT, type Setting } from './set-up.js';

const { fake, open } = closedAfterEach();
const LATER = { rcpt: '450 4.2.1 later' };
const spoolOf = ({ folder }: Setting): string => path.join(folder, 'data', 'spool');

describe('the spool', () => {
  test('is readable, and belongs to one process', async () => {
    const server = await fake({ script: LATER });
    const made = await open([server.url]);
    await made.delivery.deliver(request());
    const [key = ''] = (await made.list()).map(({ id }) => id);
    expect(await readFile(path.join(spoolOf(made), `${key}.eml`), 'utf8')).toBe(TEXT);
    expect(JSON.parse(await readFile(path.join(spoolOf(made), `${key}.json`), 'utf8'))).toMatchObject({
      item: key,
      stage: 'deliver',
    });
    await expect(setting([server.url], { folder: made.folder })).rejects.toThrow(LockedError);
  });

  test('damaged items are set aside and the others go on', async () => {
    const server = await fake({ script: LATER });
    const first = await setting([server.url], {
      delivery: { retry: { delays: [3_600_000], lifetime: 86_400_000, warnAfter: 'off' } },
    });
    const keys: string[] = [];
    for (let index = 0; index < 5; index += 1) {
      const mail = request();
      keys.push(mail.item);
      await first.delivery.deliver(mail);
    }
    await first.queue.close();
    await first.delivery.close();
    const [a = '', b = '', c = '', d = '', e = ''] = keys;
    const spool = spoolOf(first);
    await truncate(path.join(spool, `${a}.json`), 40);
    await truncate(path.join(spool, `${b}.eml`), 10);
    await rm(path.join(spool, `${c}.eml`));
    await rm(path.join(spool, `${d}.json`));
    await writeFile(path.join(spool, 'tmp', 'half.tmp'), 'half');
    server.script = {};
    const second = await open([server.url], { folder: first.folder });
    await expect.poll(() => server.mails.length).toBe(1);
    await expect.poll(second.list).toEqual([]);
    // The rest is read while mail goes out already.
    await expect
      .poll(async () => (await readdir(path.join(spool, 'corrupt'))).sort())
      .toEqual(
        [
          ...[`${a}.eml`, `${a}.json`, `${a}.reason`],
          ...[`${b}.eml`, `${b}.json`, `${b}.reason`],
          ...[`${c}.json`, `${c}.reason`],
          ...[`${d}.eml`, `${d}.reason`],
        ].sort(),
      );
    await expect.poll(async () => await readdir(path.join(spool, 'tmp'))).toEqual([]);
    expect(e).not.toBe('');
  });

  test('its limits: what has no room is not kept, and the client is told', async () => {
    const server = await fake({ script: LATER });
    const { delivery, list } = await open([server.url], {
      delivery: { spool: { maxSize: 1e9, maxItems: 1, minFreeDisk: 0 } },
    });
    expect(delivery.hasRoom()).toBe(true);
    await delivery.deliver(request());
    expect(delivery.hasRoom()).toBe(false);
    await expect(delivery.deliver(request())).rejects.toThrow(SpoolFullError);
    expect((await list()).length).toBe(1);
  });

  test('a disk below the threshold is no room', async () => {
    const server = await fake();
    const { delivery } = await open([server.url], {
      delivery: { spool: { maxSize: 1e9, maxItems: 10, minFreeDisk: 1e18 } },
    });
    expect(delivery.hasRoom()).toBe(false);
    await expect(delivery.spool(request())).rejects.toThrow(SpoolFullError);
  });

  test('a message whose bytes changed without a change of length is set aside, and nobody gets it', async () => {
    const server = await fake();
    server.script = LATER;
    const retry = { delays: [3_600_000], lifetime: 86_400_000, warnAfter: 'off' as const };
    const made = await open([server.url], { delivery: { retry } });
    await made.delivery.deliver(request({}, 'whole@x.test'));
    const bad = request({}, 'damaged@x.test');
    await made.delivery.deliver(bad);
    const file = path.join(spoolOf(made), `${bad.item}.eml`);
    await writeFile(file, TEXT.replace('body', 'BODY'));
    server.script = {};
    await made.delivery.command({ action: 'retry', ids: [], all: true });
    await expect.poll(made.list).toEqual([]);
    expect(server.mails.length).toBe(1);
    const setAside = async (): Promise<string[]> => (await readdir(path.join(spoolOf(made), 'corrupt'))).sort();
    await expect.poll(setAside).toEqual(['.eml', '.json', '.reason'].map((end) => `${bad.item}${end}`));
  });

  test('a command may add mail: the gateway takes it over', async () => {
    const server = await fake();
    const made = await open([server.url]);
    const mail = request();
    await addToSpool(spoolOf(made), mail);
    expect((await made.list()).map(({ id }) => id)).toEqual([mail.item]);
    expect((await readSpoolItem(spoolOf(made), mail.item))?.item.envelope.sender).toBe('a@example.org');
    await expect.poll(() => server.mails.length).toBe(1);
    await expect.poll(made.list).toEqual([]);
  });

  test('mail added while no gateway runs goes out at the next start, also when taking it over was cut short', async () => {
    const server = await fake();
    const first = await setting([server.url]);
    await first.queue.close();
    await first.delivery.close();
    const [whole, cut] = [request(), request()];
    const spool = spoolOf(first);
    await addToSpool(spool, whole);
    await addToSpool(spool, cut);
    await writeFile(path.join(spool, `${cut.item}.eml`), TEXT);
    await rm(path.join(spool, 'incoming', `${cut.item}.eml`));
    await open([server.url], { folder: first.folder });
    await expect.poll(() => server.mails.length).toBe(2);
  });
});
