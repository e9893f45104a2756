import type { Config } from '../config/load.js';
import type { EventReporter } from '../events/types.js';
import { QueueError } from '../queue/errors.js';
import { openQueue } from '../queue/open.js';
import type { QueueBackend } from '../queue/types.js';
import type { OpenStore } from '../store/open.js';
import type { Log } from '../telemetry/log.js';

/** Opens the job queue, and tells the operator too when it is one that may lose jobs. @throws QueueError */
export async function openReportedQueue(
  config: Config,
  store: OpenStore,
  events: EventReporter,
  log: Log,
): Promise<QueueBackend> {
  return await openQueue(config, store, log).catch((error: unknown) => {
    if (error instanceof QueueError && error.code === 'refused')
      events.raise('cluster-misconfigured', { detail: error.message });
    throw error;
  });
}
