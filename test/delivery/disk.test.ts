import { open, readdir, rename, unlink } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { SpoolFullError } from '../../src/delivery/types.js';
import { durableFiles, type FileSystem } from '../../src/store/files.js';
import { startFakeSmtp } from '../support/fake-smtp.js';
import { request, setting } from './set-up.js';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** The real file system; `failAt` counts its calls down, and the one it reaches fails. */
class FailingFiles implements FileSystem {
  failAt = Infinity;
  calls = 0;
  code = 'EIO';

  #step(): void {
    this.calls += 1;
    if (this.failAt-- === 0) throw Object.assign(new Error(this.code), { code: this.code });
  }

  async open(file: string, flags: string, mode?: number) {
    this.#step();
    const handle = await open(file, flags, mode);
    return {
      write: async (bytes: Uint8Array, offset: number, length: number) => {
        this.#step();
        return await handle.write(bytes, offset, length);
      },
      sync: async () => {
        this.#step();
        await handle.sync();
      },
      close: async () => {
        await handle.close();
        this.#step();
      },
    };
  }

  async rename(from: string, to: string) {
    this.#step();
    await rename(from, to);
  }

  async unlink(file: string) {
    this.#step();
    await unlink(file);
  }
}

/** Calls of spooling one item: two files of eight calls each. */
const CALLS = 16;

test.each(Array.from({ length: CALLS }, (_, index) => index))(
  'when call %i of spooling fails, the client is told, nothing is kept, and the next mail is safe',
  async (failAt) => {
    const server = await startFakeSmtp({ script: { rcpt: '450 4.2.1 later' } });
    const fs = new FailingFiles();
    const made = await setting([server.url], {
      options: { files: durableFiles(fs) },
      delivery: { retry: { delays: [400], lifetime: 60_000, warnAfter: 'off' } },
    });
    closing.push(
      () => server.close(),
      () => made.close(),
    );
    fs.failAt = failAt;
    fs.code = failAt % 2 === 0 ? 'ENOSPC' : 'EIO';
    const failing = made.delivery.deliver(request({}, 'first@x.test'));
    await (failAt % 2 === 0 ? expect(failing).rejects.toThrow(SpoolFullError) : expect(failing).rejects.toThrow('EIO'));
    expect(
      (await readdir(path.join(made.folder, 'data', 'spool'))).filter((name) => /\.(eml|json)$/.test(name)),
    ).toEqual([]);
    fs.calls = 0;
    expect(await made.delivery.deliver(request({}, 'second@x.test'))).toMatchObject([{ state: 'spooled' }]);
    expect(fs.calls).toBe(CALLS);
    server.script = {};
    await expect.poll(() => server.mails.map(({ rcptTo }) => rcptTo)).toEqual([['TO:<second@x.test>']]);
    await expect.poll(made.list).toEqual([]);
  },
);

test('who has got a mail does not get it again when the disk does not take that he has', async () => {
  const server = await startFakeSmtp({ script: { mail: '451 4.3.0 later' } });
  const real = durableFiles();
  let failures = 0;
  const { delivery, list, records, close } = await setting([server.url], {
    options: {
      files: {
        ...real,
        replace: async (...file) => {
          if (server.mails.length === 0 || failures >= 3) {
            await real.replace(...file);
            return;
          }
          failures += 1;
          throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
        },
      },
    },
  });
  closing.push(() => server.close(), close);
  await delivery.deliver(request({}, 'has@x.test', 'waits@x.test', 'never@x.test'));
  server.script = {
    rcpt: (to) => {
      if (to.includes('waits')) return failures < 3 ? '450 4.2.1 not now' : undefined;
      return to.includes('never') ? '550 5.1.1 nobody' : undefined;
    },
  };
  await expect.poll(list).toEqual([]);
  expect(failures).toBe(3);
  const got = (name: string): number => server.mails.filter(({ rcptTo }) => rcptTo.join().includes(name)).length;
  expect([got('has@'), got('waits@'), got('never@')]).toEqual([1, 1, 0]);
  // The DSN about the one who was refused, once.
  expect(got('a@example.org')).toBe(1);
  // The last record is told after its item is gone.
  const ends = (): string[] => records.map(({ recipient, state }) => `${recipient} ${state}`);
  await expect
    .poll(() =>
      ends()
        .filter((end) => !end.startsWith('a@'))
        .sort(),
    )
    .toEqual(['has@x.test delivered', 'never@x.test failed', 'waits@x.test delivered']);
});
