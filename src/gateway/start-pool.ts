import os from 'node:os';
import type { Config } from '../config/load.js';
import type { NoticeReporter } from '../notifications/notices.js';
import { createInspectPool, type InspectPool } from '../pipeline/pool.js';
import type { Log } from '../telemetry/log.js';
import type { Setup } from './setup.js';

/**
 * Starts the threads that scan; the admins are told of one that is lost or cannot be started.
 * @param listening the others are started beside the first when mail is taken in
 */
export function startPool(
  setup: Setup,
  log: Log,
  notices: () => NoticeReporter,
  listening: Promise<void>,
): InspectPool {
  const { config, bundle, specs } = setup;
  return createInspectPool({
    bundle,
    specs,
    limits: config.scan,
    deadline: config.scan.deadline,
    threads: threadsOf(config),
    rest: listening,
    onTrouble: ({ kind, traceId, reason }) => {
      const started = kind !== 'start';
      log.error(
        { kind, id: traceId, reason },
        started ? 'a scanning thread was lost' : 'a scanning thread cannot be started',
      );
      const errorDescription = started
        ? `A scanning thread was lost (${kind}) and has been replaced.`
        : 'A scanning thread cannot be started; it is tried again every few seconds.';
      void notices()
        .tell({ class: 'software', errorDescription })
        .catch((error: unknown) => log.warn({ err: error }, 'a notice could not be written'));
    },
  });
}

function threadsOf(config: Config): number {
  return config.scan.threads === 'auto' ? os.availableParallelism() : config.scan.threads;
}
