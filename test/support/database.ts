import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { openQueue } from '../../src/queue/open.js';
import { serverAccount } from '../../src/store/embedded/account.js';
import { homeOf, makeHome, type Home } from '../../src/store/embedded/home.js';
import { openStore } from '../../src/store/open.js';
import { silentLog } from '../../src/telemetry/log.js';
import { madeOnce } from './made-once.js';

const run = promisify(execFile);

/**
 * Lays the embedded database into a data folder that has none, as a gateway leaves it behind that was started and stopped
 * at once: a copy of one that was made so, which costs a tenth of making it.
 */
export async function layDatabase(data: string): Promise<void> {
  const made = await madeOnce('database', makeDatabase);
  await mkdir(data, { recursive: true, mode: 0o711 });
  const home = await homeIn(data);
  await makeHome(home, data, silentLog());
  await copy(made, home.folder);
}

/** As `layDatabase`, for the gateway of a configuration; nothing when its database is another or there already. */
export async function layDatabaseOf(config: string): Promise<void> {
  const text = await readFile(config, 'utf8');
  if (/^store:/m.test(text)) return;
  const data = path.resolve(path.dirname(config), /^data: *"?([^"\s]+)/m.exec(text)?.[1] ?? 'data');
  if (!existsSync(data)) await layDatabase(data);
}

async function makeDatabase(folder: string): Promise<void> {
  const data = await mkdtemp(path.join(tmpdir(), 'gatepost-database-'));
  try {
    const store = await openStore({ store: 'embedded', data }, silentLog());
    try {
      const queue = await openQueue({ queue: 'embedded' }, store, silentLog());
      await queue.close();
    } finally {
      await store.close();
    }
    const home = await homeIn(data);
    await copy(home.folder, folder);
    await rm(home.folder, { recursive: true });
  } finally {
    await rm(data, { recursive: true });
  }
}

/** With its owner; zeros take no place. */
async function copy(from: string, to: string): Promise<void> {
  await run('cp', ['-a', '--sparse=always', path.join(from, 'cluster'), path.join(from, 'password'), to]);
}

async function homeIn(data: string): Promise<Home> {
  return await homeOf(data, await serverAccount());
}
