import { link, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { isStale, STALE } from './spool-folder.js';

test('a message that was linked just now is no leftover, however long ago it was written', async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'gatepost-spool-'));
  try {
    const written = path.join(folder, 'written');
    await writeFile(written, 'Subject: x\r\n\r\n');
    const old = new Date(Date.now() - 2 * STALE);
    await utimes(written, old, old);
    await link(written, path.join(folder, 'KEY.eml'));
    expect(await isStale(folder, 'KEY')).toBe(false);
    expect(await isStale(folder, 'KEY', Date.now() + 2 * STALE)).toBe(true);
    await writeFile(path.join(folder, 'KEY.json'), '{}');
    expect(await isStale(folder, 'KEY', Date.now() + 2 * STALE)).toBe(false);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
