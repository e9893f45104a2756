import type { Config } from '../../config/load.js';
import type { HealthMonitor } from '../../detectors/health.js';
import type { Delivery } from '../../delivery/types.js';
import type { EventService } from '../../events/types.js';
import type { NotificationService } from '../../notifications/service.js';
import type { QueueBackend } from '../../queue/types.js';
import type { SmtpAddress } from '../../smtp/smtp-service.js';
import type { NodeRole } from '../../store/node-types.js';
import type { MailCounts } from './mail-counts.js';
import { eventView, type StatusBoard } from './status.js';

export interface StatusParts {
  readonly config: Config;
  readonly addresses: readonly SmtpAddress[];
  readonly counts: MailCounts;
  readonly delivery: Delivery;
  readonly notifications: NotificationService;
  readonly queue: QueueBackend;
  readonly store: { readonly name: string; readonly available: () => boolean; readonly lostLines: () => number };
  readonly health: Pick<HealthMonitor, 'states'>;
  readonly events: EventService;
  readonly roles: readonly NodeRole[];
}

/** Adds the sections of `gatepost status` that every gateway has; a part may take the place of one afterwards. */
export function provideSections(board: StatusBoard, parts: StatusParts): void {
  const { config, delivery, queue, store, events } = parts;
  const started = new Date();
  board.provide('node', () => ({
    name: config.node.name,
    roles: parts.roles,
    address: config.node.address,
    comment: config.node.comment,
    pid: process.pid,
    started,
    uptime: Date.now() - started.getTime(),
    listen: parts.addresses,
  }));
  board.provide('mail', () => parts.counts);
  board.provide('spool', () => delivery.spoolState);
  board.provide('notifications', () => ({ pending: parts.notifications.pending }));
  board.provide('queue', () => ({ name: queue.name, available: queue.available }));
  board.provide('store', () => ({ name: store.name, available: store.available(), journalLost: store.lostLines() }));
  board.provide('detectors', () => config.detectors.map(({ name }) => ({ ...engineOf(parts, name), module: name })));
  board.provide('hops', () => delivery.hopStates);
  board.provide('events', () => events.active.map(eventView));
}

/** A module without an engine is up as long as the gateway is. */
function engineOf({ health }: StatusParts, module: string): object {
  const found = health.states.find((state) => state.module === module);
  if (found === undefined) return { state: 'embedded' };
  return found.state === 'unknown' ? { ...found, state: 'embedded' } : found;
}
