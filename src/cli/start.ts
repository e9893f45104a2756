import { formatProblem } from '../config/problems.js';
import { banner } from '../gateway/banner.js';
import { startGateway } from '../gateway/gateway.js';
import { openSettings, type OpenedSettings } from '../gateway/reload/open-settings.js';
import { parseRoles, requireShared, RoleError } from '../gateway/roles.js';
import { startWorker } from '../gateway/worker.js';
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

/** `gatepost start`: runs until SIGTERM or SIGINT; a second signal ends it at once. SIGHUP loads the settings anew. */
export async function start(options: StartOptions): Promise<void> {
  const roles = rolesOf(options.role);
  // Until there is something to reload it must not end the process.
  let reload = (): void => undefined;
  process.on('SIGHUP', () => reload());
  const opened = await openSettings({
    ...(options.config === undefined ? {} : { file: options.config }),
    cwd: process.cwd(),
    lastGood: options.lastGood === true,
  });
  const { setup } = opened;
  const { config } = setup;
  requireShared(roles, config);
  const pretty = process.stdout.isTTY && options.json !== true;
  const log = createLog({ level: config.log.level, pretty });
  for (const warning of setup.warnings) {
    if (pretty) err(formatProblem(warning));
    else log.warn({ place: warning.place, hint: warning.hint }, warning.message);
  }
  if (!roles.includes('gateway')) {
    await runWorker(opened, log, (next) => (reload = next));
    return;
  }
  const gateway = await startGateway(setup, log, opened, roles);
  reload = () => gateway.reload();
  const facts = {
    config,
    rules: setup.bundle.rules.length,
    addresses: gateway.addresses,
    queue: gateway.queueName,
    store: gateway.store.name,
    hops: gateway.hops,
    version: version(),
  };
  if (pretty) out(`${banner(facts)}\n`);
  else
    log.info(
      {
        listen: gateway.addresses,
        hops: gateway.hops,
        pages: gateway.pages,
        rules: facts.rules,
        queue: facts.queue,
        store: facts.store,
        version: facts.version,
        node: config.node.name,
        roles,
      },
      'ready',
    );

  log.info({ signal: await stopSignal() }, 'stopping: sessions in the middle of a message may finish');
  await gateway.close();
  log.info('stopped');
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
