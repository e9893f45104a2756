import { openDelivery } from '../../delivery/delivery.js';
import { emlOf } from '../../delivery/spool-folder.js';
import type { Delivery } from '../../delivery/types.js';
import { openNotifications, type NotificationService } from '../../notifications/service.js';
import { webhooksInForce } from '../../notifications/webhooks/hook.js';
import type { QueueBackend } from '../../queue/types.js';
import { openEventMails } from '../open-event-mails.js';
import { openReportedQueue } from '../open-queue.js';
import { openWebhooks } from '../open-webhooks.js';
import { tellDeath } from '../processes/shared.js';
import { reinspect } from '../reinspect.js';
import { notificationTransport } from '../transport.js';
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
  const { templates } = inForce;
  const worker = roles.includes('worker');
  const port = (): number | undefined => later.port;
  const queue = await openReportedQueue(config, store, events, log);
  const transport = parts.add(notificationTransport(config), (t) => t.close());
  const hooks = webhooksInForce(() => inForce.config, log);
  const notifications = parts.add(
    await openNotifications({
      config,
      inForce: () => inForce.config,
      queue,
      ledger: store.ledger,
      sending: store.sending,
      holds: store.holds,
      transport,
      templates,
      log,
      events,
      role: worker ? 'both' : 'gateway',
      webhooks: hooks,
      port,
    }),
    (n) => n.close(),
  );
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
      templates,
      notices,
      record: (entries) => notifications.record(entries),
      reinspect: async (item) =>
        later.processing === undefined || scanning.directory.missing !== undefined
          ? { state: 'again', reason: 'the gateway is starting' }
          : await reinspect(item, emlOf(spoolFolder, item.item), later.processing),
    }),
    (d) => d.close(config.smtp.timeouts.stop),
  );
  // Its workers use all of the above: it is closed before them.
  parts.add(queue, (q) => q.close());
  if (worker) {
    parts.add(openEventMails({ inForce, queue, store, transport, templates, port, log }), (e) => {
      e.close();
      return Promise.resolve();
    });
    parts.add(
      openWebhooks({
        config: () => inForce.config,
        ...{ hooks, queue, store, events, log },
        onSettled: (id) => notifications.settled(id),
      }),
      (w) => w.close(),
    );
  }
  parts.add(watchNode({ config, queue, delivery, events, log }), (w) => w.close());
  return { queue, notifications, delivery };
}
