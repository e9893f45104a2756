import type { Config } from '../config/load.js';
import { openStoreForCommand, type OpenStore } from '../store/open.js';
import { checkDataFolder } from './data-folder.js';

/**
 * Runs a command against the store: through the running gateway's database, or one that is started for as long as the
 * command lasts.
 * @param absent what to answer when there is no database yet
 */
export async function withStore<T>(config: Config, run: (store: OpenStore) => Promise<T>, absent: () => T): Promise<T> {
  if (config.store === 'embedded') await checkDataFolder(config.data);
  const store = await openStoreForCommand(config);
  if (store === undefined) return absent();
  try {
    return await run(store);
  } finally {
    await store.close();
  }
}
