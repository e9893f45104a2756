import { readFileSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openStore, type OpenStore } from '../../src/store/open.js';
import { silentLog, type Log } from '../../src/telemetry/log.js';
import { layDatabase } from './database.js';

export interface TestStore {
  readonly store: OpenStore;
  readonly dataFolder: string;
  /** kill -9 of its server, which is then started again by its supervision. */
  killServer(): void;
  /** Closes the store, which stops its server, and removes what it left on disk. */
  stop(): Promise<void>;
}

/** An embedded store in a temporary folder that the database's account can reach too when the test runs as root. */
export async function startTestStore(log: Log = silentLog()): Promise<TestStore> {
  const dataFolder = await mkdtemp(path.join(tmpdir(), 'gatepost-store-'));
  await chmod(dataFolder, 0o755);
  await layDatabase(dataFolder);
  const store = await openStore({ store: 'embedded', data: dataFolder }, log);
  return {
    store,
    dataFolder,
    killServer: () => {
      const file = path.join(store.embedded?.folder ?? '', 'cluster', 'postmaster.pid');
      process.kill(Number(readFileSync(file, 'utf8').split('\n')[0]), 'SIGKILL');
    },
    stop: async () => {
      await store.close();
      if (store.embedded !== undefined) await rm(store.embedded.folder, { recursive: true, force: true });
      await rm(dataFolder, { recursive: true, force: true });
    },
  };
}
