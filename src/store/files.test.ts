import { mkdtemp, open, readdir, readFile, rename, rm, unlink, utimes, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { durableFiles, removeTemporaries, shared, type FileSystem } from './files.js';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'gatepost-files-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** The real file system, with a log of its calls; the call of index `failAt` fails. */
function scripted(failAt = -1, shortWrites = false): { fs: FileSystem; calls: string[] } {
  const calls: string[] = [];
  const step = (name: string): void => {
    calls.push(name);
    if (calls.length - 1 === failAt) throw Object.assign(new Error(`${name} failed`), { code: 'EIO' });
  };
  const fs: FileSystem = {
    async open(file, flags, mode) {
      step(flags === 'r' ? 'open folder' : 'open');
      const handle = await open(file, flags, mode);
      return {
        async write(bytes, offset, length) {
          try {
            step('write');
          } catch (error) {
            await handle.write(bytes, offset, Math.floor(length / 2));
            throw error;
          }
          return handle.write(bytes, offset, shortWrites ? Math.min(3, length) : length);
        },
        async sync() {
          step(flags === 'r' ? 'sync folder' : 'sync');
          await handle.sync();
        },
        async close() {
          await handle.close();
          step(flags === 'r' ? 'close folder' : 'close');
        },
      };
    },
    async rename(from, to) {
      step('rename');
      await rename(from, to);
    },
    async unlink(file) {
      step('unlink');
      await unlink(file);
    },
  };
  return { fs, calls };
}

const ORDER = ['open', 'write', 'write', 'sync', 'close', 'rename', 'open folder', 'sync folder', 'close folder'];
const pieces = [Buffer.from('one '), Buffer.from('two')];

describe('create', () => {
  test('writes, syncs, renames and syncs the folder, in this order', async () => {
    const { fs, calls } = scripted();
    await durableFiles(fs).create(path.join(folder, 'a'), pieces);
    expect(calls).toEqual(ORDER);
    expect(await readFile(path.join(folder, 'a'), 'utf8')).toBe('one two');
    expect(await readdir(folder)).toEqual(['a']);
  });

  test.each(ORDER.map((name, index) => [name, index] as const))(
    'rejects and leaves nothing when %s fails (call %i)',
    async (name, index) => {
      const { fs } = scripted(index);
      await expect(durableFiles(fs).create(path.join(folder, 'a'), pieces)).rejects.toThrow(`${name} failed`);
      expect(await readdir(folder)).toEqual([]);
    },
  );

  test('goes on after short writes', async () => {
    const { fs } = scripted(-1, true);
    await durableFiles(fs).create(path.join(folder, 'a'), 'some longer text');
    expect(await readFile(path.join(folder, 'a'), 'utf8')).toBe('some longer text');
  });

  test('rejects when the content cannot be read', async () => {
    async function* broken() {
      yield await Promise.resolve(Buffer.from('half'));
      throw new Error('gone');
    }
    await expect(durableFiles().create(path.join(folder, 'a'), broken())).rejects.toThrow('gone');
    expect(await readdir(folder)).toEqual([]);
  });

  test('writes bytes in shared memory', async () => {
    const bytes = Buffer.from(new SharedArrayBuffer(5));
    bytes.write('hello');
    await durableFiles().create(path.join(folder, 'a'), [bytes]);
    expect(await readFile(path.join(folder, 'a'), 'utf8')).toBe('hello');
  });
});

describe('replace', () => {
  test.each(ORDER.map((name, index) => [name, index] as const))(
    'leaves the old or the new content, whole, when %s fails (call %i)',
    async (name, index) => {
      await writeFile(path.join(folder, 'a'), 'old');
      const { fs } = scripted(index);
      await expect(durableFiles(fs).replace(path.join(folder, 'a'), pieces)).rejects.toThrow(`${name} failed`);
      expect(['old', 'one two']).toContain(await readFile(path.join(folder, 'a'), 'utf8'));
      expect(await readdir(folder)).toEqual(['a']);
    },
  );
});

test('a file system that takes no bytes is an error, not an endless loop, and nothing is left', async () => {
  const { fs } = scripted();
  const stuck: FileSystem = {
    ...fs,
    open: async (...file) => ({ ...(await fs.open(...file)), write: () => Promise.resolve({ bytesWritten: 0 }) }),
  };
  await expect(durableFiles(stuck).create(path.join(folder, 'a'), 'text')).rejects.toThrow('took no bytes');
  expect(await readdir(folder)).toEqual([]);
});

test('what a killed process left of a file, or in a folder, is removed, and nothing else', async () => {
  const others = ['a.json', 'a.json.tmp', 'a.json.0123456789ab.tmp.x', 'a.json.old.tmp'];
  const of = ['a.json.0123456789ab.tmp', 'a.json.ba9876543210.tmp'];
  const old = 'b.json.0123456789ab.tmp';
  for (const name of [...others, ...of, old]) await writeFile(path.join(folder, name), 'x');
  await utimes(path.join(folder, old), 1, 1);
  await removeTemporaries(folder, { age: 3_600_000 });
  expect((await readdir(folder)).sort()).toEqual([...others, ...of].sort());
  await writeFile(path.join(folder, old), 'x');
  await removeTemporaries(folder, { of: 'a.json' });
  expect((await readdir(folder)).sort()).toEqual([...others, old].sort());
  await removeTemporaries(folder);
  expect((await readdir(folder)).sort()).toEqual([...others].sort());
  await removeTemporaries(path.join(folder, 'none'));
});

test('remove takes a missing file as removed, and tells other errors', async () => {
  await durableFiles().remove(path.join(folder, 'none'));
  const { fs } = scripted(0);
  await expect(durableFiles(fs).remove(path.join(folder, 'none'))).rejects.toThrow('unlink failed');
});

test('move syncs the folder that the file comes to', async () => {
  await writeFile(path.join(folder, 'a'), 'x');
  const { fs, calls } = scripted();
  await durableFiles(fs).move(path.join(folder, 'a'), path.join(folder, 'b'));
  expect(calls).toEqual(['rename', 'open folder', 'sync folder', 'close folder']);
});

describe('shared', () => {
  test('calls during a run share the next one, and none is served by a run that began before it', async () => {
    let runs = 0;
    const gates: (() => void)[] = [];
    const run = shared(() => {
      runs += 1;
      return new Promise((resolve) => gates.push(resolve));
    });
    const first = run();
    const later = [run(), run(), run()];
    expect(runs).toBe(1);
    gates[0]?.();
    await first;
    await expect.poll(() => runs).toBe(2);
    gates[1]?.();
    await Promise.all(later);
    expect(runs).toBe(2);
  });

  test('a failed run rejects its callers only', async () => {
    let runs = 0;
    const run = shared(async () => {
      runs += 1;
      await Promise.resolve();
      if (runs === 1) throw new Error('first');
    });
    const [first, second] = await Promise.allSettled([run(), run()]);
    expect([first.status, second.status]).toEqual(['rejected', 'fulfilled']);
  });

  test('a call between the end of a run and the start of the next does not overlap with it', async () => {
    let active = 0;
    let most = 0;
    const run = shared(async () => {
      active += 1;
      most = Math.max(most, active);
      await new Promise((resolve) => setImmediate(resolve));
      active -= 1;
    });
    const calls: Promise<void>[] = [];
    for (let index = 0; index < 50; index += 1) {
      calls.push(run());
      if (index % 3 === 0) await Promise.resolve();
      if (index % 7 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(calls);
    expect(most).toBe(1);
  });
});
