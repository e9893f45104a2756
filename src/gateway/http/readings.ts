import type { HealthMonitor } from '../../detectors/health.js';
import type { Delivery } from '../../delivery/types.js';
import type { EventService } from '../../events/types.js';
import type { NotificationService } from '../../notifications/service.js';
import type { PoolCounters } from '../../pipeline/pool.js';
import type { QueueBackend } from '../../queue/types.js';
import type { SmtpService } from '../../smtp/smtp-service.js';
import type { Metrics, Reading, Sample } from '../../telemetry/metrics.js';

/** Parts that metrics are read from; those that a role has not are absent. */
export interface MeasuredParts {
  readonly queue: QueueBackend;
  readonly store: { readonly available: () => boolean; readonly lostLines: () => number };
  readonly events: Pick<EventService, 'active'>;
  readonly notifications: Pick<NotificationService, 'pending'>;
  readonly delivery?: Pick<Delivery, 'spoolState' | 'hopStates'>;
  readonly pool?: { readonly counters: PoolCounters };
  readonly health?: Pick<HealthMonitor, 'states'>;
  readonly smtp?: Pick<SmtpService, 'counters' | 'sessions'>;
  readonly rules?: () => { readonly count: number; readonly loadedAt: Date };
}

/** Adds all that is read at each scrape. */
export function readParts(metrics: Metrics, parts: MeasuredParts): void {
  readQueue(metrics, parts);
  readStore(metrics, parts);
  const { delivery, pool, smtp, health, rules } = parts;
  if (smtp !== undefined) readSmtp(metrics, smtp);
  if (pool !== undefined) readPool(metrics, pool);
  if (delivery !== undefined) readDelivery(metrics, delivery, parts.events);
  if (health !== undefined)
    metrics.read({
      name: 'detector_up',
      help: 'Whether the engine behind a detector answers',
      type: 'gauge',
      labels: ['module'],
      read: () => health.states.map(({ module, state }) => ({ value: state === 'down' ? 0 : 1, labels: { module } })),
    });
  if (rules !== undefined) {
    metrics.read(gauge('rules', 'Rules in force', () => rules().count));
    metrics.read(
      gauge('rules_loaded_timestamp_seconds', 'When they were loaded', () => rules().loadedAt.getTime() / 1000),
    );
  }
}

function readQueue(metrics: Metrics, { queue }: MeasuredParts): void {
  metrics.read(gauge('queue_up', 'Whether the job queue is in reach', () => Number(queue.available)));
  metrics.read({
    name: 'queue_jobs',
    help: 'Jobs by state',
    type: 'gauge',
    labels: ['queue', 'state'],
    read: async () => {
      if (!queue.available) return [];
      const counted = await Promise.all(
        queue.queues.map(async (name) => ({ name, counts: await queue.queue(name).counts() })),
      );
      return counted.flatMap(({ name, counts }) =>
        Object.entries(counts).map(([state, value]) => ({ value, labels: { queue: name, state } })),
      );
    },
  });
}

function readStore(metrics: Metrics, { store, events, notifications }: MeasuredParts): void {
  metrics.read(gauge('store_up', 'Whether the database is in reach', () => Number(store.available())));
  metrics.read({
    name: 'journal_lost_total',
    help: 'Rows that were lost while the database was away',
    type: 'counter',
    read: () => [{ value: store.lostLines() }],
  });
  metrics.read(
    gauge('notifications_pending', 'Mails in the outbox without a final state', () => notifications.pending),
  );
  metrics.read({
    name: 'events_active',
    help: 'Conditions of this node that hold',
    type: 'gauge',
    labels: ['event', 'severity'],
    read: () => {
      const counts = new Map<string, { value: number; labels: Record<string, string> }>();
      for (const { event, severity } of events.active) {
        const key = `${event} ${severity}`;
        const known = counts.get(key) ?? { value: 0, labels: { event, severity } };
        known.value += 1;
        counts.set(key, known);
      }
      return [...counts.values()];
    },
  });
}

function readSmtp(metrics: Metrics, smtp: Pick<SmtpService, 'counters' | 'sessions'>): void {
  const { counters } = smtp;
  metrics.read(gauge('sessions', 'Sessions that are open', () => smtp.sessions));
  const counter = (name: string, help: string, value: () => number): void =>
    metrics.read({ name, help, type: 'counter', read: () => [{ value: value() }] });
  counter('sessions_total', 'Sessions that were let in', () => counters.sessions);
  counter('sessions_refused_total', 'Sessions that were not let in', () => counters.refusedSessions);
  counter('recipients_refused_total', 'Recipients that were refused', () => counters.refusedRecipients);
  counter('messages_aborted_total', 'Messages whose client left before their end', () => counters.aborted);
  counter('received_bytes_total', 'Bytes of messages whose end was seen', () => counters.bytes);
  metrics.read({
    name: 'smtp_replies_total',
    help: 'Replies to clients by code',
    type: 'counter',
    labels: ['code'],
    read: () => [...counters.replies].map(([code, value]): Sample => ({ value, labels: { code: String(code) } })),
  });
}

function readPool(metrics: Metrics, pool: { readonly counters: PoolCounters }): void {
  metrics.read(gauge('scan_waiting', 'Messages that wait for a thread', () => pool.counters.queued));
  metrics.read(gauge('scan_running', 'Messages in the threads', () => pool.counters.running));
  metrics.read({
    name: 'scan_thread_restarts_total',
    help: 'Threads that were lost to a message and replaced',
    type: 'counter',
    read: () => [{ value: pool.counters.restarts }],
  });
}

function readDelivery(
  metrics: Metrics,
  delivery: Pick<Delivery, 'spoolState' | 'hopStates'>,
  events: Pick<EventService, 'active'>,
): void {
  metrics.read(gauge('spool_items', 'Items that wait in the spool', () => delivery.spoolState.items));
  metrics.read(gauge('spool_bytes', 'Bytes that wait in the spool', () => delivery.spoolState.bytes));
  metrics.read({
    name: 'spool_oldest_seconds',
    help: 'Age of the item that has waited longest; 0 where none waits',
    type: 'gauge',
    read: () => {
      const { oldest } = delivery.spoolState;
      return [{ value: oldest === undefined ? 0 : Math.max(0, (Date.now() - oldest.getTime()) / 1000) }];
    },
  });
  metrics.read({
    name: 'disk_free_bytes',
    help: 'Free space where the spool lies',
    type: 'gauge',
    read: () => {
      const { freeDisk } = delivery.spoolState;
      return freeDisk === undefined ? [] : [{ value: freeDisk }];
    },
  });
  metrics.read({
    name: 'hop_up',
    help: 'Whether a next hop takes mail; 0 while its breaker is open or `next-hop-unavailable` holds for it',
    type: 'gauge',
    labels: ['hop'],
    read: () => {
      const away = new Set(
        events.active.filter(({ event }) => event === 'next-hop-unavailable').map(({ subject }) => subject),
      );
      return delivery.hopStates.map(({ name, state }) => ({
        value: state === 'open' || away.has(name) ? 0 : 1,
        labels: { hop: name },
      }));
    },
  });
}

function gauge(name: string, help: string, value: () => number): Reading {
  return { name, help, type: 'gauge', read: () => [{ value: value() }] };
}
