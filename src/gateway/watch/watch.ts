import type { Config } from '../../config/load.js';
import type { Delivery } from '../../delivery/types.js';
import type { EventService } from '../../events/types.js';
import type { QueueBackend } from '../../queue/types.js';
import type { Log } from '../../telemetry/log.js';
import { watchCertificate } from './certificate.js';
import { watchHops } from './hops.js';
import { watchQueue } from './queue.js';
import { watchSpool } from './spool.js';

export interface NodeWatchOptions {
  readonly config: Pick<Config, 'health' | 'smtp' | 'delivery'>;
  readonly queue: QueueBackend;
  readonly delivery: Delivery;
  readonly events: EventService;
  readonly log: Log;
}

/** Watches over what this node needs, and reports conditions. The store is watched on its own, since before the rest. */
export function watchNode({ config, queue, delivery, events, log }: NodeWatchOptions): { close(): Promise<void> } {
  const interval = config.health;
  const watches = [
    watchQueue(queue, events, interval, log),
    watchHops(delivery, events, interval, log),
    watchSpool({ state: () => delivery.spoolState, lifetime: config.delivery.retry.lifetime, events, log }),
  ];
  if (config.smtp.tls === undefined) events.checked(['certificate-expiring']);
  else watches.push(watchCertificate(config.smtp.tls.cert, events, log));
  return {
    close: async () => {
      await Promise.all(watches.map(async (watch) => await watch.close()));
    },
  };
}
