import type { DetectorHealth } from '../detectors/health.js';
import type { EventService } from '../events/types.js';
import type { SmtpAddress } from '../smtp/smtp-service.js';
import type { NodeRole } from '../store/node-types.js';
import type { OpenStore } from '../store/open.js';
import type { Log } from '../telemetry/log.js';
import type { StatusBoard } from './control/status.js';
import type { HttpAddress } from './http/server.js';
import { Parts } from './parts.js';
import type { ProcessPlace } from './processes/place.js';
import type { OpenedSettings } from './reload/open-settings.js';
import type { SettingsStatus } from './reload/reloader.js';
import type { Setup } from './setup.js';
import { openBase } from './stages/base.js';
import { begin, type Order } from './stages/begin.js';
import { openFace } from './stages/face.js';
import { openIntake } from './stages/intake.js';
import { openScanning, startEarly } from './stages/scanning.js';
import { openSending } from './stages/sending.js';

/** A gateway that takes mail in. */
export interface Gateway {
  readonly addresses: readonly SmtpAddress[];
  /** Where metrics and health are served. */
  readonly pages: readonly HttpAddress[];
  /** Names for people, without secrets. */
  readonly hops: readonly string[];
  readonly queueName: string;
  readonly store: OpenStore;
  /** Conditions of this node. */
  readonly events: EventService;
  /** What `gatepost status` shows; parts may add sections. */
  readonly status: StatusBoard;
  /** State of the detectors' engines. */
  readonly detectors: readonly DetectorHealth[];
  /** Number of notifications that have no final state yet. */
  readonly pendingNotifications: number;
  /** Which set is in force, and how the last reload went. */
  readonly settings: SettingsStatus | undefined;
  /** Loads the settings anew, changed or not, as soon as it can. Never waits; nothing without `opened`. */
  reload(): void;
  /** Ends it: running sessions may finish, what is spooled and owed stays on disk. */
  close(): Promise<void>;
}

/**
 * Puts a gateway together and starts it: store, queue, delivery, notifications, scanning threads, and last the sessions,
 * so that nothing is taken in before all behind it is there.
 * @param opened where the setup comes from: its files are then followed
 * @param roles without `worker` others send what it owes
 * @param place which of several processes this one is; another then holds the data folder (`holdStore`)
 * @throws Error when a part cannot start; those that were started are closed again
 */
export async function startGateway(
  setup: Setup,
  log: Log,
  opened?: OpenedSettings,
  roles: readonly NodeRole[] = ['gateway', 'worker'],
  place?: ProcessPlace,
): Promise<Gateway> {
  const parts = new Parts();
  try {
    return await assemble({ whole: setup, opened, roles, place, log }, parts);
  } catch (error) {
    await parts.close();
    throw error;
  }
}

/** Each stage needs those before it; closed are their parts the other way round. */
async function assemble(order: Order, parts: Parts): Promise<Gateway> {
  const begun = await begin(order, parts);
  const early = startEarly(begun);
  const base = await openBase(begun);
  const scanning = await openScanning(begun, base, early);
  const sending = await openSending(begun, base, scanning);
  const intake = await openIntake(begun, base, scanning, sending);
  const status = await openFace(begun, base, scanning, sending, intake);
  const { store, events } = base;
  const { health } = scanning;
  const { queue, notifications, delivery } = sending;
  const { smtp, reloader } = intake;
  return {
    addresses: smtp.addresses,
    pages: begun.operator.addresses,
    hops: delivery.hops,
    queueName: queue.name,
    store,
    events,
    status,
    get detectors() {
      return health.states;
    },
    get pendingNotifications() {
      return notifications.pending;
    },
    get settings() {
      return reloader?.status;
    },
    reload: () => reloader?.request(),
    close: () => parts.close(),
  };
}
