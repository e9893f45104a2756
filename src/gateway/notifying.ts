import type { Config } from '../config/load.js';
import type { EventService } from '../events/types.js';
import { openNotifications, type NotificationOptions, type NotificationService } from '../notifications/service.js';
import { webhooksInForce } from '../notifications/webhooks/hook.js';
import type { QueueBackend } from '../queue/types.js';
import type { OpenStore } from '../store/open.js';
import type { Log } from '../telemetry/log.js';
import { openEventMails } from './open-event-mails.js';
import { openWebhooks } from './open-webhooks.js';
import type { Parts } from './parts.js';
import type { InForce } from './reload/in-force.js';
import { notificationTransport } from './transport.js';

export interface NotifyingOptions {
  readonly config: Config;
  readonly inForce: InForce;
  readonly queue: QueueBackend;
  readonly store: OpenStore;
  readonly events: EventService;
  readonly log: Log;
  readonly parts: Parts;
  readonly role: NonNullable<NotificationOptions['role']>;
  /** Where this node takes mail, if it does. */
  readonly port?: () => number | undefined;
}

/** What tells people. */
export interface Notifying {
  readonly notifications: NotificationService;
  /**
   * To be called when all is open that jobs need: hands over the queue, which is closed before that, and begins, unless
   * others do it, with mails about events and calls of webhooks.
   */
  readonly beginWork: () => void;
}

/** Opens notifications; all is closed with `parts`. */
export async function openNotifying(options: NotifyingOptions): Promise<Notifying> {
  const { config, inForce, queue, store, events, log, parts, role, port } = options;
  const { templates } = inForce;
  // In case that something fails before it has work: closing it twice does no harm.
  const closeQueue = (): Promise<void> => queue.close();
  parts.add(queue, closeQueue);
  const transport = parts.add(notificationTransport(config), (t) => t.close());
  const hooks = webhooksInForce(() => inForce.config, log);
  const notifications = parts.add(
    await openNotifications({
      ...{ config, queue, transport, templates, log, events, role },
      inForce: () => inForce.config,
      ledger: store.ledger,
      sending: store.sending,
      holds: store.holds,
      webhooks: hooks,
      ...(port === undefined ? {} : { port }),
    }),
    (n) => n.close(),
  );
  return {
    notifications,
    beginWork: () => {
      parts.add(queue, closeQueue);
      if (role === 'gateway') return;
      parts.add(
        openEventMails({ inForce, queue, store, transport, templates, port: port ?? ((): number => 0), log }),
        (e) => {
          e.close();
          return Promise.resolve();
        },
      );
      parts.add(
        openWebhooks({
          config: () => inForce.config,
          ...{ hooks, queue, store, events, log },
          onSettled: (id) => notifications.settled(id),
        }),
        (w) => w.close(),
      );
    },
  };
}
