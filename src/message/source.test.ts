import { mkdtemp, open, readdir, readlink, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { contentOf } from './source.js';

const BODY = Buffer.from(`Subject: x\r\n\r\n${'0123456789'.repeat(60_000)}\r\n`);
const TOP = Buffer.from('X-Top: 1\r\n');
const EDITS = [
  { start: 10, end: 10, insert: Buffer.from('!') },
  { start: BODY.length - 2, end: BODY.length, insert: Buffer.from(' end\r\n') },
];
const WHOLE = Buffer.concat([
  TOP,
  BODY.subarray(0, 10),
  Buffer.from('!'),
  BODY.subarray(10, BODY.length - 2),
  Buffer.from(' end\r\n'),
]);

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'gatepost-source-'));
  file = path.join(folder, 'x.upload');
  await writeFile(file, BODY);
});
afterEach(async () => await rm(folder, { recursive: true, force: true }));

async function all(pieces: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<Buffer> {
  const found: Buffer[] = [];
  for await (const piece of pieces) found.push(piece);
  return Buffer.concat(found);
}

/** How often this process has the file open. */
async function opened(): Promise<number> {
  const names = await readdir('/proc/self/fd');
  const links = await Promise.allSettled(names.map(async (name) => await readlink(`/proc/self/fd/${name}`)));
  return links.filter((link) => link.status === 'fulfilled' && link.value.startsWith(file)).length;
}

test('a file with edits is read as it is, in pieces, again and again', async () => {
  const content = contentOf({ kind: 'file', path: file, size: BODY.length }, TOP, EDITS);
  expect(content.size).toBe(WHOLE.length);
  for (let time = 0; time < 2; time += 1) expect((await all(content.read())).equals(WHOLE)).toBe(true);
  for await (const piece of content.read()) expect(piece.length).toBeLessThanOrEqual(256 * 1024);
});

test('a reading that has begun goes on to its end when the file is removed', async () => {
  const content = contentOf({ kind: 'file', path: file, size: BODY.length }, TOP, EDITS);
  const found: Buffer[] = [];
  for await (const piece of content.read()) {
    if (found.length === 0) await rm(file);
    found.push(piece);
  }
  expect(Buffer.concat(found).equals(WHOLE)).toBe(true);
});

test.skipIf(process.platform !== 'linux')('the file is closed when a reading ends, is given up or fails', async () => {
  const content = contentOf({ kind: 'file', path: file, size: BODY.length }, TOP, EDITS);
  await all(content.read());
  expect(await opened()).toBe(0);
  for await (const piece of content.read()) {
    expect(piece.equals(TOP)).toBe(true);
    expect(await opened()).toBe(1);
    break;
  }
  expect(await opened()).toBe(0);
  const handle = await open(file, 'r+');
  await handle.truncate(1000);
  await handle.close();
  await expect(all(content.read())).rejects.toThrow('the message file ended after 1000 of');
  expect(await opened()).toBe(0);
});
