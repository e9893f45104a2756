import { openDelivery } from '../../delivery/delivery.js';
import { emlOf } from '../../delivery/spool-folder.js';
import type { Delivery } from '../../delivery/types.js';
import type { NotificationService } from '../../notifications/service.js';
import type { QueueBackend } from '../../queue/types.js';
import { openNotifying } from '../notifying.js';
import { openReportedQueue } from '../open-queue.js';
import { tellDeath } from '../processes/shared.js';
import { reinspect } from '../reinspect.js';
import { watchNode } from '../watch/watch.js';
import type { Base } from './base.js';
import type { Begun } from './begin.js';
import type { Scanning } from './scanning.js';

/** What sends: mail to its next hop, and notifications. */
export interface Sending {
  readonly queue: QueueBackend;
  readonly notifications: NotificationService;
  readonly delivery: Delivery;
}

/** Opens the job queue, notifications, delivery, and with the role `worker` what sends the rest of what is owed. */
export async function openSending(begun: Begun, base: Base, scanning: Scanning): Promise<Sending> {
  const { config, spoolFolder, inForce, roles, place, parts, later, log } = begun;
  const { store, events } = base;
  const queue = await openReportedQueue(config, store, events, log);
  const { notifications, beginWork } = await openNotifying({
    ...{ config, inForce, queue, store, events, log, parts },
    role: roles.includes('worker') ? 'both' : 'gateway',
    port: () => later.port,
  });
  const { notices } = notifications;
  later.notices = notices;
  if (place !== undefined) tellDeath(place, notices, log);
  const delivery = parts.add(
    await openDelivery({
      config,
      queue,
      log,
      reporter: events,
      probeInterval: config.health,
      events: { settled: (id, records) => store.journal.delivered(id, records) },
      templates: inForce.templates,
      notices,
      record: (entries) => notifications.record(entries),
      reinspect: async (item) =>
        later.processing === undefined || scanning.directory.missing !== undefined
          ? { state: 'again', reason: 'the gateway is starting' }
          : await reinspect(item, emlOf(spoolFolder, item.item), later.processing),
    }),
    (d) => d.close(config.smtp.timeouts.stop),
  );
  beginWork();
  parts.add(watchNode({ config, queue, delivery, events, log }), (w) => w.close());
  return { queue, notifications, delivery };
}
