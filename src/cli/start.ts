import type { Config } from '../config/load.js';
import { formatProblem } from '../config/problems.js';
import { banner } from '../gateway/banner.js';
import { startGateway, type Gateway } from '../gateway/gateway.js';
import type { HttpAddress } from '../gateway/http/server.js';
import { leaveParent, openParentLine, processPlace } from '../gateway/processes/child.js';
import type { ReadyFacts } from '../gateway/processes/messages.js';
import { processesOf, type ProcessPlace } from '../gateway/processes/place.js';
import { openSettings, type OpenedSettings } from '../gateway/reload/open-settings.js';
import { parseRoles, requireShared, RoleError } from '../gateway/roles.js';
import { startWorker } from '../gateway/worker.js';
import { inheritedSockets } from '../smtp/inherited.js';
import type { NodeRole } from '../store/node-types.js';
import { createLog, type Log } from '../telemetry/log.js';
import { UsageError } from './exit.js';
import { err, out } from './terminal.js';
import { version } from './version.js';

export interface StartOptions {
  readonly config?: string;
  readonly json?: boolean;
  readonly lastGood?: boolean;
  /** `all`, `gateway`, `worker`; several, also with commas between them. */
  readonly role?: readonly string[];
}

/** How long a process that has stopped may take to end by itself, ms. */
const LINGER = 1000;

/** `gatepost start`: runs until SIGTERM or SIGINT; a second signal ends it at once. SIGHUP loads the settings anew. */
export async function start(options: StartOptions): Promise<void> {
  try {
    await run(options);
  } finally {
    leaveParent();
    // A job that had no end in time, with the queue out of reach, leaves timers of the queue's library behind.
    setTimeout(() => process.exit(), LINGER).unref();
  }
}

async function run(options: StartOptions): Promise<void> {
  const roles = rolesOf(options.role);
  // Until there is something to reload it must not end the process.
  let reload = (): void => undefined;
  process.on('SIGHUP', () => reload());
  const place = processPlace();
  const opened = await openSettings({
    purpose: roles.includes('gateway') ? 'gateway' : 'worker',
    ...(options.config === undefined ? {} : { file: options.config }),
    cwd: process.cwd(),
    // A process that died comes back, also while somebody edits.
    lastGood: options.lastGood === true || place?.again === true,
  });
  const { setup } = opened;
  const { config } = setup;
  requireShared(roles, config);
  const pretty = process.stdout.isTTY && options.json !== true;
  const log = createLog({ ...config.log, pretty });
  if (place !== undefined) {
    await runProcess({ opened, roles, place, log: log.child({ process: place.number }) }, (next) => (reload = next));
    return;
  }
  for (const warning of setup.warnings) {
    if (pretty) err(formatProblem(warning));
    else log.warn({ place: warning.place, hint: warning.hint }, warning.message);
  }
  if (!roles.includes('gateway')) {
    await runWorker(opened, log, (next) => (reload = next));
    return;
  }
  const processes = processesOf(config);
  const gateway = processes > 1 ? await severalProcesses(config, log, processes) : await oneProcess(opened, log, roles);
  reload = () => gateway.reload();
  const facts = { ...gateway.facts, config, version: version() };
  // Whoever reads that it is ready may stop it in the same moment.
  const stopped = stopSignal();
  if (pretty) out(`${banner(facts)}\n`);
  else
    log.info(
      {
        listen: facts.addresses,
        hops: facts.hops,
        pages: gateway.pages,
        rules: facts.rules,
        queue: facts.queue,
        store: facts.store,
        version: facts.version,
        node: config.node.name,
        roles,
        ...(processes > 1 ? { processes } : {}),
      },
      'ready',
    );

  const reason = await Promise.race([stopped, gateway.broken]);
  log.info({ signal: reason }, 'stopping: sessions in the middle of a message may finish');
  await gateway.close();
  log.info('stopped');
}

/** What runs: this process alone, or those that it looks after. */
interface Running {
  readonly facts: ReadyFacts;
  readonly pages: readonly HttpAddress[];
  /** Resolves with why it is to be stopped. */
  readonly broken: Promise<string>;
  reload(): void;
  close(): Promise<void>;
}

async function oneProcess(opened: OpenedSettings, log: Log, roles: readonly NodeRole[]): Promise<Running> {
  const gateway = await startGateway(opened.setup, log, opened, roles);
  return {
    facts: factsOf(gateway, opened),
    pages: gateway.pages,
    // It runs until it is told to stop.
    broken: new Promise(() => undefined),
    reload: () => gateway.reload(),
    close: async () => await gateway.close(),
  };
}

async function severalProcesses(config: Config, log: Log, count: number): Promise<Running> {
  const inherited = inheritedSockets(process.env, process.pid).length > 0;
  const { startProcesses } = await import('../gateway/processes/supervisor.js');
  return await startProcesses(config, log, count, inherited);
}

interface OwnProcess {
  readonly opened: OpenedSettings;
  readonly roles: readonly NodeRole[];
  readonly place: ProcessPlace;
  readonly log: Log;
}

/** One of several processes, until the one above says stop. */
async function runProcess(
  { opened, roles, place, log }: OwnProcess,
  onReload: (reload: () => void) => void,
): Promise<void> {
  let reload = (): void => undefined;
  const line = openParentLine(() => reload());
  const gateway = await startGateway(opened.setup, log, opened, roles, place);
  reload = () => gateway.reload();
  onReload(reload);
  line.ready(factsOf(gateway, opened));
  log.info('takes mail');
  log.info({ by: await line.stop }, 'stopping: sessions in the middle of a message may finish');
  await gateway.close();
  log.info('stopped');
}

function factsOf(gateway: Gateway, { setup }: OpenedSettings): ReadyFacts {
  return {
    addresses: gateway.addresses,
    hops: gateway.hops,
    queue: gateway.queueName,
    store: gateway.store.name,
    rules: setup.bundle.rules.length,
  };
}

/** A worker: until it is told to stop, and anew when a gateway has taken its name. */
async function runWorker(opened: OpenedSettings, log: Log, onReload: (reload: () => void) => void): Promise<void> {
  const stopped = stopSignal();
  for (;;) {
    const worker = await startWorker(opened, log);
    onReload(() => worker.reload());
    log.info(
      {
        listen: [],
        pages: worker.pages,
        queue: worker.queueName,
        store: worker.storeName,
        version: version(),
        node: worker.name,
        roles: ['worker'],
      },
      'ready',
    );
    const signal = await Promise.race([stopped, worker.renamed]);
    if (signal !== undefined) log.info({ signal }, 'stopping: what is just being sent may finish');
    await worker.close();
    if (signal !== undefined) break;
    log.info('a gateway has the name of this worker: it takes another one');
  }
  log.info('stopped');
}

/** The first signal that asks for a stop; the second ends the process. */
async function stopSignal(): Promise<NodeJS.Signals> {
  const signal = await new Promise<NodeJS.Signals>((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, resolve);
  });
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => process.exit(1));
  return signal;
}

/** @throws UsageError */
function rolesOf(given: readonly string[] | undefined): readonly NodeRole[] {
  try {
    return parseRoles(given);
  } catch (error) {
    throw error instanceof RoleError ? new UsageError(error.message) : error;
  }
}
