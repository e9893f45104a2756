import type { Config } from '../config/load.js';
import type { OpenStore } from '../store/open.js';
import type { Log } from '../telemetry/log.js';
import { WatchedBackend, type BackendOptions } from './backend.js';
import { postgresDriver } from './postgres.js';
import { redisDriver } from './redis.js';
import { redisTarget } from './redis-client.js';
import type { QueueBackend } from './types.js';

/** How long a start waits for a backend that does not answer, in ms. */
const PATIENCE = 2000;

/**
 * Opens the job queue: on Redis by URL, or with `queue: embedded` on the PostgreSQL of the store. A backend that does not
 * answer does not stop the start: the queue is unavailable until it comes.
 *
 * Close it before the store.
 * @throws QueueError `refused` when Redis is set up to throw jobs away, or its address is none
 */
export async function openQueue(
  config: Pick<Config, 'queue'> & Partial<Pick<Config, 'folder'>>,
  store: Pick<OpenStore, 'connection' | 'name'>,
  log: Log,
  options: BackendOptions = {},
): Promise<QueueBackend> {
  const driver =
    config.queue === 'embedded'
      ? postgresDriver(store.name, store.connection, log)
      : redisDriver(await redisTarget(config.queue, config.folder ?? process.cwd()), log);
  const backend = new WatchedBackend(driver, log, options);
  try {
    await backend.open(PATIENCE);
    return backend;
  } catch (error) {
    await backend.close(0);
    throw error;
  }
}
