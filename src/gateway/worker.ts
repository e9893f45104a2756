import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Config } from '../config/load.js';
import { openEvents } from '../events/service.js';
import type { EventService } from '../events/types.js';
import type { QueueBackend } from '../queue/types.js';
import { lockHolder } from '../store/embedded/folder-lock.js';
import { StoreError } from '../store/errors.js';
import { openStore, type OpenStore } from '../store/open.js';
import { changeLog, type Log } from '../telemetry/log.js';
import { eventView, StatusBoard } from './control/status.js';
import { openControl } from './control/socket.js';
import { HttpStartError, type HttpAddress } from './http/server.js';
import { Operator } from './http/operator.js';
import { answerLetGo, LET_GO } from './http/take-over.js';
import { removeLeftovers } from './leftovers.js';
import { nodeFacts } from './nodes/facts.js';
import { nodeIdentity } from './nodes/identity.js';
import { Membership, NameTakenError, type MembershipTimes } from './nodes/membership.js';
import { openNotifying } from './notifying.js';
import { openReportedQueue } from './open-queue.js';
import { oneAtATime, Parts, signal } from './parts.js';
import { followSettings } from './reload/follow.js';
import { InForce, ownRulesOf } from './reload/in-force.js';
import type { OpenedSettings } from './reload/open-settings.js';
import type { Reloader, SettingsStatus } from './reload/reloader.js';
import { startRetention } from './retention.js';
import { watchQueue } from './watch/queue.js';
import { watchStore, type StoreWatch } from './watch/store.js';
import { workersFolder } from './workers-folder.js';

/** A process that sends what gateways owe, and takes no mail. */
export interface Worker {
  readonly name: string;
  /** Where metrics and health are served. */
  readonly pages: readonly HttpAddress[];
  readonly queueName: string;
  readonly storeName: string;
  readonly settings: SettingsStatus;
  /** Resolves when a gateway has taken its name: it is to be closed, and started anew under another one. */
  readonly renamed: Promise<void>;
  reload(): void;
  /** Waits for what is just being sent; the rest is another worker's, or waits. */
  close(): Promise<void>;
}

/** Workers that may run on one configuration at a time. */
const MAX_WORKERS = 100;

/**
 * Starts a worker. Any number may run on the same configuration: each takes the first place that is free, with a folder
 * and a name of its own; nothing in the folder is missed when it is lost.
 * @param times of the nodes' signs of life, where they are to be others
 * @throws StoreError, QueueError when a part cannot start
 */
export async function startWorker(
  opened: OpenedSettings,
  log: Log,
  times: Partial<MembershipTimes> = {},
): Promise<Worker> {
  const { config } = opened.setup;
  const besideGateway = (await lockHolder(config.data)) === 'gateway';
  for (let place = 1; place <= MAX_WORKERS; place++) {
    const parts = new Parts();
    try {
      return await assemble({ opened, place, name: nameOf(config, place, besideGateway), parts, log, times });
    } catch (error) {
      await parts.close();
      const taken = error instanceof NameTakenError || (error instanceof StoreError && error.code === 'in-use');
      if (!taken) throw error;
    }
  }
  throw new StoreError('in-use', `${MAX_WORKERS} workers run on ${config.data} already.`);
}

/** The node's own name for the first; the gateway of the same configuration goes before. */
function nameOf({ node }: Config, place: number, besideGateway: boolean): string {
  const suffix = place > 1 ? `-worker-${place}` : besideGateway ? '-worker' : '';
  return `${node.name.slice(0, 63 - suffix.length)}${suffix}`;
}

interface Place {
  readonly opened: OpenedSettings;
  readonly place: number;
  readonly name: string;
  readonly parts: Parts;
  readonly log: Log;
  readonly times: Partial<MembershipTimes>;
}

async function assemble({ opened, place, name, parts, log, times }: Place): Promise<Worker> {
  const { setup } = opened;
  const data = path.join(workersFolder(setup.config.data), String(place));
  const own = (wanted: Config): Config => ({ ...wanted, data, node: { ...wanted.node, name } });
  const config = own(setup.config);
  const inForce = new InForce({ ...setup, config }, opened.hash, await ownRulesOf(config));
  await mkdir(data, { recursive: true, mode: 0o711 });
  const opening = parts.add(await openStore(config, log), (s) => s.close());
  await removeLeftovers(data);
  const pages: { operator?: Operator } = {};
  const status = new StatusBoard();
  const assembled = signal();
  // Before it has the port of the pages: a gateway that needs it can always ask.
  parts.add(
    await openControl(
      data,
      {
        status: async () => {
          await assembled.given;
          return await status.snapshot();
        },
        [LET_GO]: answerLetGo(async (ports) => {
          if ((await pages.operator?.letGo(ports)) === true)
            log.info('a gateway serves its pages where those of this worker were: they are not served any more');
        }),
      },
      log,
    ),
    (c) => c.close(),
  );
  const operator = (pages.operator = parts.add(await openOperator(config, log), (o) => o.close()));
  const store = operator.notifying(opening);
  const events = parts.add(await openEvents({ node: name, folder: data, store: store.events, log }), (e) => e.close());
  const storeWatch = parts.add(watchStore(store, events, config.health, log), (w) => w.close());
  const taken = signal();
  const membership = parts.add(
    await Membership.open({
      nodes: store.nodes,
      eventStore: store.events,
      events,
      identity: await nodeIdentity(data),
      facts: () => ({ ...nodeFacts(inForce, ['worker']), name }),
      onTaken: () => taken.give(),
      log,
      times,
    }),
    (m) => m.close(),
  );
  parts.add(startRetention({ config, store, events, log, spool: path.join(data, 'spool') }), (r) => r.close());
  const queue = await openReportedQueue(config, store, events, log);
  const { notifications, beginWork } = await openNotifying({
    ...{ config, inForce, queue, store, events, log, parts },
    role: 'worker',
  });
  beginWork();
  parts.add(watchQueue(queue, events, config.health, log), (w) => w.close());
  const inTurn = oneAtATime();
  const reloader = parts.add(
    await followSettings({
      opened,
      own,
      inForce,
      events,
      log,
      apply: async (_, nowInForce) => {
        await inTurn(() => {
          nowInForce();
          changeLog(log, inForce.config.log);
          return Promise.resolve();
        });
        void membership.now();
      },
    }),
    (r) => r.close(),
  );
  provideSections(status, config, { queue, store, storeWatch, events, reloader });
  assembled.give();
  operator.started(
    {
      queue,
      store: { available: () => storeWatch.available, lostLines: () => store.journal.lost },
      events,
      notifications,
    },
    () => {
      if (!queue.available) return 'the job queue is out of reach';
      return storeWatch.available ? undefined : 'the database is out of reach';
    },
  );
  // Closed first.
  parts.add(operator, (o) => {
    o.stopping();
    return Promise.resolve();
  });
  return {
    name,
    get pages() {
      return operator.addresses;
    },
    queueName: queue.name,
    storeName: store.name,
    renamed: taken.given,
    get settings() {
      return reloader.status;
    },
    reload: () => reloader.request(),
    close: async () => await parts.close(),
  };
}

interface StatusParts {
  readonly queue: QueueBackend;
  readonly store: OpenStore;
  readonly storeWatch: StoreWatch;
  readonly events: EventService;
  readonly reloader: Reloader;
}

function provideSections(
  status: StatusBoard,
  { node }: Config,
  { queue, store, storeWatch, events, reloader }: StatusParts,
): void {
  const started = new Date();
  status.provide('node', () => ({
    name: node.name,
    roles: ['worker'],
    address: node.address,
    comment: node.comment,
    pid: process.pid,
    started,
    uptime: Date.now() - started.getTime(),
    listen: [],
  }));
  status.provide('queue', () => ({ name: queue.name, available: queue.available }));
  status.provide('store', () => ({
    name: store.name,
    available: storeWatch.available,
    journalLost: store.journal.lost,
  }));
  status.provide('events', () => events.active.map(eventView));
  status.provide('rules', () => reloader.status);
}

/** Another process of the same machine and configuration may have the port: a worker works all the same. */
async function openOperator(config: Config, log: Log): Promise<Operator> {
  try {
    return await Operator.open(config, log, 'worker');
  } catch (error) {
    if (!(error instanceof HttpStartError)) throw error;
    log.warn({ reason: error.message }, 'metrics and health of this worker are not served');
    return await Operator.open({ ...config, http: { listen: [] } }, log, 'worker');
  }
}
