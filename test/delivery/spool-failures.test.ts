import { mkdtemp, open, readdir, rename, rm, unlink } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { newItem } from '../../src/delivery/spool-list.js';
import { Spool } from '../../src/delivery/spool.js';
import { durableFiles, type FileSystem } from '../../src/store/files.js';
import { silentLog } from '../../src/telemetry/log.js';
import { content, request } from './set-up.js';

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
