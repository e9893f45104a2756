import { mkdtemp, open, readdir, rename, rm, unlink } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Writable } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { newItem } from '../../src/delivery/spool-item.js';
import { Spool } from '../../src/delivery/spool.js';
import { durableFiles, type FileSystem } from '../../src/store/files.js';
import { createLog, silentLog } from '../../src/telemetry/log.js';
import { addToSpool } from '../support/spool.js';
import { content, request } from './set-up.js';

const limits = { maxSize: 1e9, maxItems: 100, minFreeDisk: 0 };

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'gatepost-spool-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** The real file system; a rename to `.json` of the spool waits for `go` while it is `held`, or fails while it is `broken`. */
function gated() {
  const state = { held: false, broken: false, waiting: 0, go: (): void => undefined };
  const fs: FileSystem = {
    open,
    unlink,
    async rename(from, to) {
      const isState = to.endsWith('.json') && path.dirname(to) === folder;
      if (isState && state.broken) throw Object.assign(new Error('EIO'), { code: 'EIO' });
      if (isState && state.held) {
        state.held = false;
        state.waiting += 1;
        await new Promise<void>((resolve) => (state.go = resolve));
      }
      await rename(from, to);
    },
  };
  return { state, files: durableFiles(fs) };
}

async function setUp() {
  const { state, files } = gated();
  const spool = await Spool.open({ folder, limits, log: silentLog(), files });
  const item = newItem(request(), new Date(), '');
  await spool.add(item, content());
  // A state that could not be written, and a tidying that is just writing it.
  state.broken = true;
  await expect(spool.update({ ...item, attempts: 1 })).rejects.toThrow('EIO');
  state.broken = false;
  state.held = true;
  const tidying = spool.tidy();
  await expect.poll(() => state.waiting).toBe(1);
  return { state, spool, item, tidying };
}

test('a state that is written late does not come after a newer one', async () => {
  const { state, spool, item, tidying } = await setUp();
  const updating = spool.update({ ...item, attempts: 2 });
  setImmediate(() => state.go());
  await Promise.all([tidying, updating]);
  await spool.close();
  const again = await Spool.open({ folder, limits, log: silentLog() });
  expect((await again.load(item.item))?.attempts).toBe(2);
  await again.close();
});

test('a state that is written late does not bring a settled item back', async () => {
  const { state, spool, item, tidying } = await setUp();
  const removing = spool.remove(item.item);
  setImmediate(() => state.go());
  await Promise.all([tidying, removing]);
  await spool.close();
  const again = await Spool.open({ folder, limits, log: silentLog() });
  expect(again.size).toBe(0);
  await again.close();
  expect((await readdir(folder)).filter((name) => name.includes(item.item))).toEqual([]);
  expect(await readdir(path.join(folder, 'corrupt'))).toEqual([]);
});

test('a start that reads for long says so', async () => {
  await addToSpool(folder, request());
  const { state, files } = gated();
  state.held = true;
  const lines: string[] = [];
  const output = new Writable({
    write: (chunk: Buffer, _, done) => {
      lines.push(chunk.toString());
      done();
    },
  });
  const log = createLog({ level: 'info', pretty: false }, output);
  const opening = Spool.open({ folder, limits, log, files, quiet: 0 });
  await expect.poll(() => lines.join('')).toContain('the spool is being read');
  await expect.poll(() => state.waiting).toBe(1);
  state.go();
  const spool = await opening;
  expect(spool.size).toBe(1);
  await spool.close();
});
