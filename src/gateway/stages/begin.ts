import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Config } from '../../config/load.js';
import { spoolPaths } from '../../delivery/spool-folder.js';
import type { NoticeReporter } from '../../notifications/notices.js';
import type { NodeRole } from '../../store/node-types.js';
import type { Log } from '../../telemetry/log.js';
import { Operator } from '../http/operator.js';
import { oneAtATime, signal, type Parts } from '../parts.js';
import { configOf, type ProcessPlace } from '../processes/place.js';
import type { PartsInForce } from '../processor.js';
import { InForce, ownRulesOf } from '../reload/in-force.js';
import type { OpenedSettings } from '../reload/open-settings.js';
import type { Setup } from '../setup.js';

/** What a gateway is to be. */
export interface Order {
  /** As the operator wrote it: for all processes of a machine. */
  readonly whole: Setup;
  /** Where the setup comes from. */
  readonly opened: OpenedSettings | undefined;
  readonly roles: readonly NodeRole[];
  readonly place: ProcessPlace | undefined;
  readonly log: Log;
}

/** What is opened after those that need it: until then they do without. */
interface Later {
  processing?: PartsInForce;
  port?: number;
  notices?: NoticeReporter;
}

/** What all stages of a start go by. */
export interface Begun extends Order {
  /** This process's own. */
  readonly setup: Setup;
  /** This process's own, with the domains that are in force whenever they are read. */
  readonly config: Config;
  /** What of a configuration is this process's own. */
  readonly own: (config: Config) => Config;
  /** Where mail waits. */
  readonly spoolFolder: string;
  readonly inForce: InForce;
  readonly parts: Parts;
  readonly operator: Operator;
  readonly later: Later;
  /** Mail is taken in. */
  readonly listening: ReturnType<typeof signal>;
  /** Changed files and changed groups of the directory each bring another set of rules: one after the other. */
  readonly inTurn: (work: () => Promise<void>) => Promise<void>;
}

/** Finds out what this process goes by, makes its folder, and serves the operator's pages, which tell that it starts. */
export async function begin(order: Order, parts: Parts): Promise<Begun> {
  const { whole, opened, place, log } = order;
  const own = (config: Config): Config => (place === undefined ? config : configOf(config, place));
  const setup: Setup = { ...whole, config: own(whole.config) };
  const inForce = new InForce(setup, opened?.hash ?? setup.bundle.hash, await ownRulesOf(setup.config));
  const config = withLiveDomains(setup.config, inForce);
  // Others may pass through (the embedded database runs as another account when we are root); what lies in it is closed.
  await mkdir(config.data, { recursive: true, mode: 0o711 });
  const operator = parts.add(await Operator.open(config, log, place === undefined ? 'gateway' : 'collected'), (o) =>
    o.close(),
  );
  return {
    ...order,
    ...{ setup, config, own, inForce, parts, operator },
    spoolFolder: spoolPaths(path.join(config.data, 'spool')).root,
    later: {},
    listening: signal(),
    inTurn: oneAtATime(),
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
