import { mkdtemp, open, readdir, readFile, rename, rm, unlink } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { newItem } from '../../src/delivery/spool-item.js';
import { Spool } from '../../src/delivery/spool.js';
import { durableFiles, type FileSystem } from '../../src/store/files.js';
import { silentLog } from '../../src/telemetry/log.js';
import { content, request, TEXT } from './set-up.js';

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

/** The real file system, whose call of that number fails once. */
function failing(code: string): { fs: FileSystem; failAt: (call: number) => void; calls: () => number } {
  const state = { calls: 0, failAt: Infinity };
  const step = (): void => {
    state.calls += 1;
    if (state.calls - 1 === state.failAt) throw Object.assign(new Error(code), { code });
  };
  const fs: FileSystem = {
    async open(file, flags, mode) {
      step();
      const handle = await open(file, flags, mode);
      return {
        write: async (bytes, offset, length) => {
          step();
          return await handle.write(bytes, offset, length);
        },
        sync: async () => {
          step();
          await handle.sync();
        },
        close: async () => {
          await handle.close();
          step();
        },
      };
    },
    async rename(from, to) {
      step();
      await rename(from, to);
    },
    async unlink(file) {
      step();
      await unlink(file);
    },
  };
  return {
    fs,
    failAt: (call) => {
      state.calls = 0;
      state.failAt = call;
    },
    calls: () => state.calls,
  };
}

const limits = { maxSize: 1e9, maxItems: 100, minFreeDisk: 0 };
const cases = ['ENOSPC', 'EIO', 'EMFILE'].flatMap((code) =>
  Array.from({ length: 9 }, (_, call) => [code, call] as const),
);

test.each(cases)(
  '%s at call %i of a change or a removal: the item is whole at any time, and the disk catches up',
  async (code, call) => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'gatepost-spool-'));
    folders.push(folder);
    const disk = failing(code);
    const options = { folder, limits, log: silentLog() };
    const spool = await Spool.open({ ...options, files: durableFiles(disk.fs) });
    const mail = request();
    const item = newItem(mail, new Date(), '');
    await spool.add(item, content());
    const later = { ...item, attempts: 7 };
    disk.failAt(call);
    const [changed] = await Promise.allSettled([spool.update(later)]);
    expect(changed.status).toBe(call < disk.calls() ? 'rejected' : 'fulfilled');
    disk.failAt(Infinity);
    expect((await spool.load(item.item))?.attempts).toBe(7);
    await spool.tidy();
    await spool.close();
    const again = await Spool.open({ ...options, files: durableFiles(disk.fs) });
    expect((await again.load(item.item))?.attempts).toBe(7);
    disk.failAt(call);
    await again.remove(item.item);
    disk.failAt(Infinity);
    expect(again.size).toBe(0);
    await again.tidy();
    await again.close();
    const last = await Spool.open(options);
    expect(last.size).toBe(0);
    await last.close();
    expect((await readdir(folder)).filter((name) => /\.(eml|json)$/.test(name))).toEqual([]);
    expect(await readdir(path.join(folder, 'tmp'))).toEqual([]);
    expect(await readdir(path.join(folder, 'corrupt'))).toEqual([]);
  },
);

/** An item that was set aside though nothing is wrong with it. */
async function setAsideIn(folder: string): Promise<string> {
  const spool = await Spool.open({ folder, limits, log: silentLog() });
  const { item } = request();
  await spool.add(newItem(request({ item }), new Date(), ''), content());
  await spool.setAside(item, 'for this test');
  await spool.close();
  return item;
}

const messages = async (folder: string): Promise<string[]> =>
  (await readdir(folder)).filter((name) => name.endsWith('.eml')).sort();

const calls = Array.from({ length: 12 }, (_, call) => call);

test.each(calls)('a kill at call %i of a requeue: the item is whole, in the spool or in corrupt', async (call) => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'gatepost-spool-'));
  folders.push(folder);
  const item = await setAsideIn(folder);
  let left = Infinity;
  let dead: () => void;
  const killed = new Promise<void>((resolve) => (dead = resolve));
  const step = async (): Promise<void> => {
    left -= 1;
    if (left >= 0) return;
    dead();
    await new Promise(() => undefined);
  };
  const dying: FileSystem = {
    async open(file, flags, mode) {
      await step();
      return await open(file, flags, mode);
    },
    async rename(from, to) {
      await step();
      await rename(from, to);
    },
    async unlink(file) {
      await step();
      await unlink(file);
    },
  };
  const spool = await Spool.open({ folder, limits, log: silentLog(), files: durableFiles(dying) });
  left = call;
  await Promise.race([spool.requeue(item, new Date()), killed]);
  await rm(path.join(folder, 'lock'));
  const after = await Spool.open({ folder, limits, log: silentLog() });
  const corrupt = path.join(folder, 'corrupt');
  expect([...(await messages(folder)), ...(await messages(corrupt))]).toEqual([`${item}.eml`]);
  expect((await readdir(corrupt)).length).toBe(after.has(item) ? 0 : 3);
  if (!after.has(item)) await after.requeue(item, new Date());
  const found = await after.load(item);
  if (found === undefined) throw new Error('the item is gone');
  expect(await readFile(path.join(folder, `${item}.eml`))).toEqual(Buffer.from(TEXT));
  expect(found.crc32).toMatch(/^[0-9a-f]{8}$/);
  await after.close();
});

test.each(cases)(
  '%s at call %i of a requeue: the item is whole, and put back when it is asked for again',
  async (code, call) => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'gatepost-spool-'));
    folders.push(folder);
    const item = await setAsideIn(folder);
    const disk = failing(code);
    const spool = await Spool.open({ folder, limits, log: silentLog(), files: durableFiles(disk.fs) });
    disk.failAt(call);
    const [result] = await Promise.allSettled([spool.requeue(item, new Date())]);
    disk.failAt(Infinity);
    const corrupt = path.join(folder, 'corrupt');
    if (result.status === 'rejected') {
      expect(spool.has(item)).toBe(false);
      expect([await messages(folder), await messages(corrupt)]).toEqual([[], [`${item}.eml`]]);
      await spool.requeue(item, new Date());
    }
    expect((await spool.load(item))?.item).toBe(item);
    await spool.close();
    const again = await Spool.open({ folder, limits, log: silentLog() });
    expect((await again.load(item))?.item).toBe(item);
    expect(await messages(corrupt)).toEqual([]);
    await again.close();
  },
);
