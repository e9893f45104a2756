import type { Config } from '../config/load.js';
import type { EventReporter } from '../events/types.js';
import { systemClock } from '../notifications/job.js';
import { ManualRetries } from '../notifications/retries.js';
import type { Webhook } from '../notifications/webhooks/hook.js';
import { Webhooks } from '../notifications/webhooks/service.js';
import type { QueueBackend } from '../queue/types.js';
import type { Store } from '../store/types.js';
import type { Log } from '../telemetry/log.js';

export interface WebhookParts {
  /** Those in force. */
  readonly config: () => Config;
  readonly hooks: () => readonly Webhook[];
  readonly queue: QueueBackend;
  readonly store: Pick<Store, 'events' | 'nodes' | 'webhooks' | 'ledger' | 'notifications' | 'holds'>;
  readonly events: EventReporter;
  readonly log: Log;
  /** Something in the outbox of this process has a final state. */
  readonly onSettled: (id: string) => void;
}

/** What a worker does besides sending mail: it makes the calls of webhooks, and tries again what somebody asks for. */
export function openWebhooks(parts: WebhookParts): { close(): Promise<void> } {
  const { config, hooks, queue, store, events, log, onSettled } = parts;
  const webhooks = new Webhooks({
    hooks,
    settings: () => config().notifications,
    queue,
    store: store.webhooks,
    events: store.events,
    ledger: store.ledger,
    holds: store.holds,
    reporter: events,
    log,
    clock: systemClock,
    onSettled,
  });
  const retries = new ManualRetries({
    queue,
    book: store.notifications,
    nodes: async () => (await store.nodes.list()).map(({ name }) => name),
    log,
  });
  return {
    close: () => {
      webhooks.close();
      retries.close();
      return Promise.resolve();
    },
  };
}
