import { mkdtemp, open, readdir, readFile, rename, rm, unlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { newItem } from '../../src/delivery/spool-item.js';
import { Spool } from '../../src/delivery/spool.js';
import { durableFiles, type FileSystem } from '../../src/store/files.js';
import { silentLog } from '../../src/telemetry/log.js';
import { content, request } from './set-up.js';

const limits = { maxSize: 1e9, maxItems: 100, minFreeDisk: 0 };
const ITEMS = 4;
const RUNS = process.env['TORTURE'] === 'long' ? 2000 : 60;

/** The real file system without fsync, for speed: nothing here cuts the power. */
const quick: FileSystem = {
  async open(...file) {
    const handle = await open(...file);
    return {
      write: async (bytes, offset, length) => await handle.write(bytes, offset, length),
      sync: () => Promise.resolve(),
      close: async () => await handle.close(),
    };
  },
  rename,
  unlink,
};

/** One thing that happens to a file: of these bytes and those of another file, what is left; undefined: no file. */
type Damage = (bytes: Buffer, other: Buffer) => Buffer | undefined;

const share = fc.double({ min: 0, max: 1, noNaN: true });
const damage: fc.Arbitrary<Damage> = fc.oneof(
  share.map(
    (part): Damage =>
      (bytes) =>
        bytes.subarray(0, Math.floor(bytes.length * part)),
  ),
  fc.tuple(share, fc.integer({ min: 1, max: 255 })).map(([part, mask]): Damage => (bytes) => {
    const copy = Buffer.from(bytes);
    const at = Math.min(Math.floor(bytes.length * part), bytes.length - 1);
    if (at >= 0) copy[at] = (copy[at] ?? 0) ^ mask;
    return copy;
  }),
  fc.uint8Array({ maxLength: 50 }).map(
    (more): Damage =>
      (bytes) =>
        Buffer.concat([bytes, more]),
  ),
  fc.constant<Damage>(() => undefined),
  fc.constant<Damage>((_, other) => other),
  fc.constant<Damage>((bytes) => Buffer.alloc(bytes.length)),
);
const happening = fc.record({
  damage,
  item: fc.nat(ITEMS - 1),
  other: fc.nat(ITEMS - 1),
  ends: fc.constantFrom(['.eml', '.eml'], ['.json', '.json'], ['.json', '.eml'], ['.eml', '.json']),
});

const textOf = (index: number): string => `Subject: ${index}\r\n\r\n${`line ${index}\r\n`.repeat(index + 1)}`;

const texts = Array.from({ length: ITEMS }, (_, index) => textOf(index));

test('whatever happens to files of the spool: a start takes it, other items are whole, damaged ones are not deleted', async () => {
  const property = fc.asyncProperty(fc.array(happening, { minLength: 1, maxLength: 4 }), async (happenings) => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'gatepost-spool-'));
    const options = { folder, limits, log: silentLog(), files: durableFiles(quick) };
    try {
      const before = await Spool.open(options);
      const items = Array.from({ length: ITEMS }, (_, index) =>
        newItem({ ...request(), content: content(textOf(index)) }, new Date(), ''),
      );
      for (const [index, item] of items.entries()) await before.add(item, content(textOf(index)));
      await before.close();

      const hit = new Set<number>();
      const left = new Set<string>();
      for (const { damage: change, item, other, ends } of happenings) {
        const file = path.join(folder, `${items[item]?.item}${ends[0]}`);
        const bytes = await readFile(file).catch(() => Buffer.alloc(0));
        const from = path.join(folder, `${items[other]?.item}${ends[1]}`);
        const after = change(bytes, await readFile(from).catch(() => Buffer.alloc(0)));
        if (after === undefined) await rm(file, { force: true });
        else await writeFile(file, after);
        hit.add(item);
      }
      for (const name of await readdir(folder)) if (/\.(eml|json)$/.test(name)) left.add(name);

      const after = await Spool.open(options);
      await after.whole;
      for (const [index, { item: key }] of items.entries()) {
        const found = await after.load(key);
        if (hit.has(index)) continue;
        expect(found).toEqual({ ...items[index], crc32: expect.stringMatching(/^[0-9a-f]{8}$/) as unknown });
        if (found !== undefined) expect((await readBytes(after, found)).toString()).toBe(textOf(index));
      }
      // What is not in the spool any more lies in `corrupt`, byte for byte; nothing is gone.
      const there = [...(await readdir(folder)), ...(await readdir(path.join(folder, 'corrupt')))];
      for (const name of left) expect(there, name).toContain(name);
      // What is read for delivery is a whole message, or its reading fails and the item is known to be damaged.
      for (const { key } of after.entries()) {
        const found = await after.load(key);
        if (found === undefined) continue;
        const [read] = await Promise.allSettled([readBytes(after, found)]);
        expect(after.isDamaged(key)).toBe(read.status === 'rejected');
        if (read.status === 'fulfilled' && found.crc32 !== undefined) expect(texts).toContain(read.value.toString());
      }
      await after.close();
      const again = await Spool.open(options);
      await again.close();
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
  await fc.assert(property, { numRuns: RUNS });
});

async function readBytes(spool: Spool, item: Parameters<Spool['content']>[0]): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of spool.content(item).read()) pieces.push(piece);
  return Buffer.concat(pieces);
}
