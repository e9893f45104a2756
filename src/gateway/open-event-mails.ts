import type { Templates } from '../notifications/templates/load.js';
import { EventMails } from '../notifications/digest/event-mails.js';
import { Holds } from '../notifications/holds.js';
import { INSIST } from '../notifications/insist.js';
import { systemClock } from '../notifications/job.js';
import { oweSettings } from '../notifications/settings.js';
import type { MailTransport } from '../notifications/types.js';
import type { QueueBackend } from '../queue/types.js';
import type { Store } from '../store/types.js';
import type { Log } from '../telemetry/log.js';
import { notifiedNodes } from './nodes/facts.js';
import type { InForce } from './reload/in-force.js';

export interface EventMailParts {
  readonly inForce: InForce;
  readonly queue: QueueBackend;
  readonly store: Pick<Store, 'events' | 'eventMails' | 'ledger' | 'nodes' | 'holds'>;
  readonly transport: MailTransport;
  readonly templates: Templates;
  /** Where this node takes mail. */
  readonly port: () => number | undefined;
  readonly log: Log;
}

/** Mails about events of all nodes; midnight is the control node's. */
export function openEventMails({ inForce, queue, store, transport, templates, port, log }: EventMailParts): EventMails {
  return new EventMails({
    config: () => inForce.config,
    settings: () => inForce.config.notifications,
    mydomain: () => inForce.config.domains[0] ?? '',
    queue,
    events: store.events,
    mails: store.eventMails,
    ledger: store.ledger,
    holds: new Holds(store.holds, log),
    insist: INSIST,
    transport,
    templates,
    node: () => oweSettings(inForce.config, port()).node,
    nodes: async () => await notifiedNodes(store.nodes),
    // Of two nodes whose clocks differ, each would take the other's interval as over, or its day as begun.
    time: async () => Date.now() - (await store.nodes.clockOffset()).offset,
    timezone: async () => (await store.nodes.control())?.timezone,
    log,
    clock: systemClock,
  });
}
