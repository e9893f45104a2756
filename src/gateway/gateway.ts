import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Config } from '../config/load.js';
import { openDelivery } from '../delivery/delivery.js';
import { spoolPaths, emlOf } from '../delivery/spool-folder.js';
import type { DetectorHealth } from '../detectors/health.js';
import { openEvents } from '../events/service.js';
import type { EventService } from '../events/types.js';
import { NO_NOTICES, type NoticeReporter } from '../notifications/notices.js';
import { openNotifications } from '../notifications/service.js';
import { webhooksInForce } from '../notifications/webhooks/hook.js';
import { clearUpAfterStart } from '../pipeline/garbage.js';
import type { InspectPool } from '../pipeline/pool.js';
import { keepYoungRoom } from '../pipeline/young.js';
import { QueueError } from '../queue/errors.js';
import { openQueue } from '../queue/open.js';
import { withGroups } from '../rules/groups.js';
import { startSmtp, type SmtpAddress } from '../smtp/smtp-service.js';
import { StrangerLog } from '../smtp/stranger-log.js';
import { openStore, type OpenStore } from '../store/open.js';
import type { NodeRole } from '../store/node-types.js';
import type { Store } from '../store/types.js';
import type { Log } from '../telemetry/log.js';
import { countMail } from './control/mail-counts.js';
import { answerQueue } from './control/queue.js';
import { provideSections } from './control/sections.js';
import { openControl } from './control/socket.js';
import { StatusBoard } from './control/status.js';
import { groupView, heldBack, openGatewayDirectory } from './directory.js';
import { watchHealth, withHealth } from './health.js';
import { openCopyMark } from './copy-mark.js';
import { removeLeftovers } from './leftovers.js';
import type { HttpAddress } from './http/server.js';
import { Operator } from './http/operator.js';
import { createProcessor, type ProcessorParts } from './processor.js';
import { reinspect } from './reinspect.js';
import { applier, DetectorWatchers } from './reload/apply.js';
import { Membership } from './nodes/membership.js';
import { nodeIdentity } from './nodes/identity.js';
import { nodeFacts } from './nodes/facts.js';
import { openEventMails } from './open-event-mails.js';
import { openWebhooks } from './open-webhooks.js';
import { oneAtATime, Parts, signal } from './parts.js';
import { adoptProcesses } from './processes/adopt.js';
import { forgetProcesses } from './processes/forget.js';
import { configOf, type ProcessPlace } from './processes/place.js';
import { sharedBy, tellDeath } from './processes/shared.js';
import { followSettings } from './reload/follow.js';
import { InForce, ownRulesOf } from './reload/in-force.js';
import type { OpenedSettings } from './reload/open-settings.js';
import type { SettingsStatus } from './reload/reloader.js';
import { startRetention } from './retention.js';
import type { Setup } from './setup.js';
import { startPool } from './start-pool.js';
import { notificationTransport } from './transport.js';
import { EngineEvents } from './watch/engines.js';
import { reportFileStates } from './watch/lists.js';
import { watchStore } from './watch/store.js';
import { watchNode } from './watch/watch.js';

/** Share of its time in which the session loop is busy while there is little to do. */
const CALM = 0.3;
/** Share from which on it has much to do. */
const BUSY = 0.4;

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
    return await assemble(setup, log, parts, opened, roles, place);
  } catch (error) {
    await parts.close();
    throw error;
  }
}

async function assemble(
  whole: Setup,
  log: Log,
  parts: Parts,
  opened: OpenedSettings | undefined,
  roles: readonly NodeRole[],
  place: ProcessPlace | undefined,
): Promise<Gateway> {
  const own = (config: Config): Config => (place === undefined ? config : configOf(config, place));
  const setup: Setup = { ...whole, config: own(whole.config) };
  const { data } = whole.config;
  const inForce = new InForce(setup, opened?.hash ?? setup.bundle.hash, await ownRulesOf(setup.config));
  const config = withLiveDomains(setup.config, inForce);
  const spoolFolder = spoolPaths(path.join(config.data, 'spool')).root;
  // Others may pass through (the embedded database runs as another account when we are root); what lies in it is closed.
  await mkdir(config.data, { recursive: true, mode: 0o711 });
  const operator = parts.add(
    await Operator.open(config, log, place !== undefined && whole.config.http.listen.length > 0),
    (o) => o.close(),
  );
  // For parts that need what is opened after them; spooled items that are to be inspected again wait until it is there.
  const started: { processing?: ProcessorParts; port?: number; notices?: NoticeReporter } = {};
  const listening = signal();
  const newPool = (of: Setup): InspectPool =>
    parts.add(
      startPool(of, log, () => started.notices ?? NO_NOTICES, listening.given),
      (p) => p.close(),
    );
  // Its threads start while the database does, unless the rules need groups that are read first.
  const early = config.directory === undefined ? newPool(setup) : undefined;
  early?.ready().catch(() => undefined);
  const opening = parts.add(await openStore(config, log, place && sharedBy(data, place)), (s) => s.close());
  await removeLeftovers(config.data);
  // Before anything looks at the spool and the outbox.
  const gone = (place?.number ?? 1) > 1 ? [] : await adoptProcesses(data, place?.of ?? 1, log);
  const store: OpenStore = operator.notifying({ ...opening, journal: operator.journal(opening.journal) });
  const events = parts.add(
    await openEvents({ node: config.node.name, folder: config.data, store: store.events, log }),
    (e) => e.close(),
  );
  void forgetProcesses(gone, store, log);
  const retention = parts.add(startRetention({ config, store, events, log, spool: spoolFolder }), (r) => r.close());
  const knowRules = ({ bundle }: Setup): void =>
    store.counters.know(bundle.rules.filter((rule) => rule.enabled).map((rule) => rule.id));
  knowRules(setup);
  // Changed files and changed groups of the directory each bring another set: one after the other.
  const inTurn = oneAtATime();
  const storeWatch = parts.add(watchStore(store, events, config.health, log), (w) => w.close());
  const nodes = parts.add(
    await Membership.open({
      nodes: store.nodes,
      eventStore: store.events,
      events,
      identity: await nodeIdentity(config.data),
      facts: () => nodeFacts(inForce, roles, started.port),
      log,
    }),
    (n) => n.close(),
  );
  const engines = new EngineEvents(events);
  const health = parts.add(await watchHealth(setup, log, engines), (h) => h.close());
  const directory = parts.add(
    await openGatewayDirectory({
      config,
      events,
      log,
      bundle: () => inForce.current.bundle,
      swap: async (snapshot) =>
        await inTurn(async () => await pool.reload(withGroups(inForce.current.bundle, snapshot))),
    }),
    (d) => d.close(),
  );
  const inspecting = withHealth(
    early ?? newPool({ ...setup, bundle: withGroups(setup.bundle, directory.snapshot) }),
    health,
    engines,
  );
  const pool = operator.pool(inspecting);
  const threads = pool.ready();
  const watchers = parts.add(new DetectorWatchers(setup.specs, log, reportFileStates(events)), (w) => w.close());
  // Awaited below; a failure before that must not count as unhandled.
  threads.catch(() => undefined);
  const queue = await openQueue(config, store, log).catch((error: unknown) => {
    if (error instanceof QueueError && error.code === 'refused')
      events.raise('cluster-misconfigured', { detail: error.message });
    throw error;
  });
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
      templates: inForce.templates,
      log,
      events,
      role: roles.includes('worker') ? 'both' : 'gateway',
      webhooks: hooks,
      port: () => started.port,
    }),
    (n) => n.close(),
  );
  started.notices = notifications.notices;
  if (place !== undefined) tellDeath(place, notifications.notices, log);
  const delivery = parts.add(
    await openDelivery({
      config,
      queue,
      log,
      reporter: events,
      probeInterval: config.health,
      events: { settled: (id, records) => store.journal.delivered(id, records) },
      templates: inForce.templates,
      notices: notifications.notices,
      record: (entries) => notifications.record(entries),
      reinspect: async (item) =>
        started.processing === undefined || directory.missing !== undefined
          ? { state: 'again', reason: 'the gateway is starting' }
          : await reinspect(item, emlOf(spoolFolder, item.item), started.processing),
    }),
    (d) => d.close(config.smtp.timeouts.stop),
  );
  const port = (): number | undefined => started.port;
  // Its workers use all of the above: it is closed before them.
  parts.add(queue, (q) => q.close());
  if (roles.includes('worker'))
    parts.add(openEventMails({ inForce, queue, store, transport, templates: inForce.templates, port, log }), (e) => {
      e.close();
      return Promise.resolve();
    });
  if (roles.includes('worker'))
    parts.add(
      openWebhooks({
        config: () => inForce.config,
        ...{ hooks, queue, store, events, log },
        onSettled: (id) => notifications.settled(id),
      }),
      (w) => w.close(),
    );
  parts.add(watchNode({ config, queue, delivery, events, log }), (w) => w.close());
  await threads;
  parts.add(clearUpAfterStart(CALM), (c) => c.close());
  parts.add(keepYoungRoom(BUSY), (k) => k.close());
  const watched: Store = { ...store, quarantine: retention.quarantine };
  const copyMark = await openCopyMark(data);
  const processing: ProcessorParts = {
    get config() {
      return inForce.config;
    },
    pool,
    delivery,
    notifications,
    store: watched,
    events,
    log,
    strangers: new StrangerLog(log),
    copyMark,
  };
  started.processing = processing;
  const counted = countMail(operator.handler(heldBack(createProcessor(processing), directory, processing.strangers)));
  const smtp = parts.add(
    await startSmtp({
      config,
      handler: counted.handler,
      log,
      spoolFolder: path.join(config.data, 'uploads'),
      notices: notifications.notices,
    }),
    (s) => s.close(),
  );
  const [first] = smtp.addresses;
  if (first !== undefined) started.port = first.port;
  listening.give();
  void nodes.now();
  const apply = applier(
    { pool, smtp, health, watchers, withGroups: (bundle) => withGroups(bundle, directory.snapshot), log },
    setup,
  );
  const applyInTurn = async (next: Setup, nowInForce: () => void): Promise<void> =>
    await inTurn(async () => {
      await apply(next, nowInForce);
      knowRules(next);
      void nodes.now();
    });
  const reloader =
    opened === undefined
      ? undefined
      : parts.add(await followSettings({ opened, own, inForce, events, log, apply: applyInTurn }), (r) => r.close());
  const status = new StatusBoard();
  provideSections(status, {
    config,
    roles,
    addresses: smtp.addresses,
    counts: counted.counts,
    delivery,
    notifications,
    queue,
    store: { name: store.name, available: () => storeWatch.available, lostLines: () => store.journal.lost },
    health,
    events,
  });
  if (config.directory !== undefined) status.provide('directory', () => directory.states.map(groupView));
  status.provide('rules', () => ({
    folder: inForce.config.rules,
    count: inForce.current.bundle.rules.length,
    loadedAt: inForce.loadedAt,
    ...reloader?.status,
  }));
  parts.add(
    await openControl(
      config.data,
      {
        status: async () => await status.snapshot(),
        queue: answerQueue(delivery),
        page: async (path) => await operator.page(String(path)),
      },
      log,
    ),
    (c) => c.close(),
  );
  operator.started(
    {
      queue,
      store: { available: () => storeWatch.available, lostLines: () => store.journal.lost },
      events,
      notifications,
      delivery,
      pool,
      health,
      smtp,
      rules: () => ({ count: inForce.current.bundle.rules.length, loadedAt: inForce.loadedAt }),
    },
    () => {
      if (directory.missing !== undefined) return `groups of the directory are missing: ${directory.missing}`;
      return delivery.hasRoom() ? undefined : 'the spool or the disk is short';
    },
  );
  // Closed first.
  parts.add(operator, (o) => {
    o.stopping();
    return Promise.resolve();
  });
  return {
    addresses: smtp.addresses,
    pages: operator.addresses,
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

/** For parts that ask which domains are ours when they need it. */
function withLiveDomains(config: Config, inForce: InForce): Config {
  return {
    ...config,
    get domains() {
      return inForce.config.domains;
    },
  };
}
