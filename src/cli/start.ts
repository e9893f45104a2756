import { formatProblem } from '../config/problems.js';
import { banner } from '../gateway/banner.js';
import { startGateway } from '../gateway/gateway.js';
import { openSettings } from '../gateway/reload/open-settings.js';
import { createLog } from '../telemetry/log.js';
import { err, out } from './terminal.js';
import { version } from './version.js';

export interface StartOptions {
  readonly config?: string;
  readonly json?: boolean;
  readonly lastGood?: boolean;
}

/** `gatepost start`: runs until SIGTERM or SIGINT; a second signal ends it at once. SIGHUP loads the settings anew. */
export async function start(options: StartOptions): Promise<void> {
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
  const pretty = process.stdout.isTTY && options.json !== true;
  const log = createLog({ level: config.log.level, pretty });
  for (const warning of setup.warnings) {
    if (pretty) err(formatProblem(warning));
    else log.warn({ place: warning.place, hint: warning.hint }, warning.message);
  }
  const gateway = await startGateway(setup, log, opened);
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
        rules: facts.rules,
        queue: facts.queue,
        store: facts.store,
        version: facts.version,
        node: config.node.name,
      },
      'ready',
    );

  const signal = await new Promise<NodeJS.Signals>((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, resolve);
  });
  log.info({ signal }, 'stopping: sessions in the middle of a message may finish');
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => process.exit(1));
  await gateway.close();
  log.info('stopped');
}
