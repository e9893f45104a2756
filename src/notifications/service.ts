import path from 'node:path';
import type { Config } from '../config/load.js';
import type { EventReporter } from '../events/types.js';
import type { Envelope } from '../message/envelope.js';
import type { Content } from '../message/source.js';
import type { Inspection } from '../pipeline/types.js';
import type { QueueBackend } from '../queue/types.js';
import type { SendingHolds } from '../store/hold-types.js';
import type { SendingStore } from '../store/sending-types.js';
import type { Ledger, LedgerEntry } from '../store/types.js';
import type { Log } from '../telemetry/log.js';
import type { AttemptOptions } from './attempt.js';
import { StoredMails, type StoredMailTimes } from './collect/stored-mails.js';
import { NotificationDispatcher } from './dispatcher.js';
import { Holds } from './holds.js';
import { INSIST } from './insist.js';
import { NOTIFICATION_QUEUE, ownQueueOf, systemClock, type Clock, type NotificationJob } from './job.js';
import { NO_NOTICES, Notices, type NoticeReporter } from './notices.js';
import { Outbox } from './outbox/outbox.js';
import { owe, type Arrival } from './owed.js';
import { SendingDesk, sendingRules } from './rate/desk.js';
import { NotificationSender, type SenderOptions } from './sender.js';
import { oweSettings } from './settings.js';
import type { Templates } from './templates/load.js';
import type { MailTransport, Owed } from './types.js';
import type { Webhook } from './webhooks/hook.js';
import { OwedCalls } from './webhooks/owed-calls.js';

export interface NotificationOptions {
  /** As it was at the start. */
  readonly config: Config;
  /** The one in force; default: that of the start. */
  readonly inForce?: () => Config;
  readonly queue: QueueBackend;
  readonly ledger: Ledger;
  /** What may be sent, and what was collected and folded. */
  readonly sending: SendingStore;
  /** Which process has what in hand; default: there is no other. */
  readonly holds?: SendingHolds;
  readonly transport: MailTransport;
  readonly templates: Templates;
  readonly log: Log;
  /** Where notifications that cannot be delivered are reported. */
  readonly events?: EventReporter;
  readonly clock?: Clock;
  /** `gateway`: takes in and queues; `worker`: sends. */
  readonly role?: 'gateway' | 'worker' | 'both';
  /** Programs that are told; their calls are made elsewhere. */
  readonly webhooks?: () => readonly Webhook[];
  /** Times of the looks for what is due. */
  readonly times?: Partial<StoredMailTimes>;
  /** Where this node listens, for the mails, when it is known; default: the configured port. */
  readonly port?: () => number | undefined;
}

/** Notifications as the gateway sees them. */
export interface NotificationService {
  /**
   * Works out who is to be told and writes it to the outbox. When this resolves it is fsynced and the client may be
   * answered; a message that owes nothing resolves without a write. Rejects when it cannot be written: 451.
   * @param original the message as it was received, for `attach`
   * @param settings that the message is judged by, where they can change; default: those of the start
   */
  owe(
    inspection: Inspection,
    envelope: Envelope,
    arrival: Arrival,
    original: Content,
    settings?: Config,
  ): Promise<Owed>;
  /** Notices to the admins. */
  readonly notices: NoticeReporter;
  /** Writes rows of the ledger about what others send, such as DSNs. Never waits, never throws. */
  record(entries: readonly LedgerEntry[]): void;
  /** The ledger has a final state for something that another part sends from this outbox. */
  settled(id: string): void;
  /** Number of mails that the ledger has no final state for. */
  readonly pending: number;
  /** Looks at the outbox at once instead of at the next interval. */
  sweep(): Promise<void>;
  /** Close the queue first: it waits for the running jobs. */
  close(): Promise<void>;
}

/** Mails that one process has in hand at the same time: in the store, on their way, or to be recorded, many of them together. */
const CONCURRENCY = 64;
/** How long few mails wait for others to share their transactions, ms. */
const PATIENCE = 12;
/** Of those with a large original, which only this node can send. */
const OWN_CONCURRENCY = 4;
/** So many may come twice when the process is killed. */
export const IN_HAND = CONCURRENCY + OWN_CONCURRENCY;

/**
 * Opens the outbox in `data/outbox`, adds what a former run left to the queue, and begins to send.
 * @throws LockedError when another process works in the outbox
 */
export async function openNotifications(options: NotificationOptions): Promise<NotificationService> {
  const role = options.role ?? 'both';
  const { config, queue, log, clock = systemClock, inForce = () => config } = options;
  const desk = new SendingDesk(options.sending, () => sendingRules(inForce().notifications, clock.now()), PATIENCE);
  if (role === 'worker') {
    queue.queue<NotificationJob>(NOTIFICATION_QUEUE).process(CONCURRENCY, senderOf(options, desk, {}).handle);
    return workerOnly(openStoredMails(options));
  }
  const outbox = await Outbox.open({ folder: path.join(config.data, 'outbox'), log });
  const ownQueue = ownQueueOf(config.node.name);
  const from = (): string => inForce().notifications.from;
  const dispatcher = new NotificationDispatcher({
    outbox,
    backend: queue,
    ledger: options.ledger,
    desk,
    from,
    ownQueue,
    log,
    clock,
  });
  dispatcher.start();
  const sender = senderOf(options, desk, {
    original: (traceId) => outbox.original(traceId),
    onSettled: (id) => {
      dispatcher.settled(id);
    },
  });
  queue.queue<NotificationJob>(ownQueue).process(OWN_CONCURRENCY, sender.handle);
  if (role === 'both') queue.queue<NotificationJob>(NOTIFICATION_QUEUE).process(CONCURRENCY, sender.handle);
  const stored = role === 'both' ? openStoredMails(options) : undefined;
  const webhooks = new OwedCalls(options.webhooks ?? (() => []), outbox, dispatcher, log, clock, options.events);
  const notices = new Notices({
    webhooks,
    settings: () => inForce().notifications,
    node: () => oweSettings(inForce(), options.port?.()).node,
    dispatcher,
    log,
    clock,
  });
  return {
    notices,
    record: (entries) => dispatcher.record(entries),
    settled: (id) => dispatcher.settled(id),
    async owe(inspection, envelope, arrival, original, settings = inForce()) {
      const rules = oweSettings(settings, options.port?.());
      const owed = owe(inspection, envelope, rules, arrival);
      const { notify, suppressed } = owed;
      const called = webhooks.ofMessage(inspection, envelope, rules, arrival);
      await dispatcher.put({ notify, suppressed, webhooks: called }, original);
      return owed;
    },
    get pending() {
      return outbox.size;
    },
    sweep: dispatcher.sweep,
    async close() {
      stored?.close();
      notices.close();
      await dispatcher.close();
      await outbox.close();
    },
  };
}

function senderOf(
  options: NotificationOptions,
  desk: SendingDesk,
  local: Pick<SenderOptions, 'original' | 'onSettled'>,
): NotificationSender {
  return new NotificationSender({ ...attempts(options), desk, templates: options.templates, ...local });
}

/** Summaries, and what is collected: workers send them, whoever took the mail in. */
function openStoredMails(options: NotificationOptions): StoredMails {
  const { config, inForce = () => config, queue, sending, ledger, templates, times = {} } = options;
  return new StoredMails({
    ...attempts(options),
    queue,
    sending,
    entry: (id) => ledger.get(id),
    templates,
    node: () => oweSettings(inForce(), options.port?.()).node,
    times,
  });
}

function attempts(options: NotificationOptions): AttemptOptions {
  const { config, inForce = () => config, transport, log, events, holds, clock = systemClock } = options;
  return {
    config: inForce,
    transport,
    log,
    clock,
    ...(events === undefined ? {} : { events }),
    ...(holds === undefined ? {} : { holds: new Holds(holds, log), insist: INSIST }),
  };
}

function workerOnly(stored: StoredMails): NotificationService {
  return {
    owe: () => Promise.reject(new Error('a worker takes no mail in')),
    notices: NO_NOTICES,
    record: () => undefined,
    settled: () => undefined,
    pending: 0,
    sweep: () => Promise.resolve(),
    close: () => {
      stored.close();
      return Promise.resolve();
    },
  };
}
