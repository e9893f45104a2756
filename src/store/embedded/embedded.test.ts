import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLog } from '../../telemetry/log.js';
import { startEmbedded } from './start.js';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'gatepost-embedded-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('the embedded server', () => {
  it('starts', async () => {
    const server = await startEmbedded({ dataFolder: folder, log: silentLog() });
    const c = new pg.Client(server.connection);
    await c.connect();
    expect((await c.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    await c.end();
    await server.stop();
    const again = await startEmbedded({ dataFolder: folder, log: silentLog() });
    await again.stop();
    await rm(again.folder, { recursive: true });
  });
});
