import { NO_NOTICES } from '../../notifications/notices.js';
import type { InspectPool } from '../../pipeline/pool.js';
import { withGroups } from '../../rules/groups.js';
import { openGatewayDirectory, type GatewayDirectory } from '../directory.js';
import { watchHealth, withHealth } from '../health.js';
import { DetectorWatchers } from '../reload/apply.js';
import type { LiveHealth } from '../reload/live-health.js';
import type { Setup } from '../setup.js';
import { startPool } from '../start-pool.js';
import { EngineEvents } from '../watch/engines.js';
import { reportFileStates } from '../watch/lists.js';
import type { Base } from './base.js';
import type { Begun } from './begin.js';

/** What looks at messages. */
export interface Scanning {
  readonly pool: InspectPool;
  readonly health: LiveHealth;
  readonly directory: GatewayDirectory;
  readonly watchers: DetectorWatchers;
  /** Resolves when all threads are there. */
  readonly ready: Promise<void>;
}

/**
 * Starts the scanning threads while the database starts.
 * @returns undefined when the rules need groups of the directory, which are read first
 */
export function startEarly(begun: Begun): InspectPool | undefined {
  if (begun.config.directory !== undefined) return undefined;
  const pool = newPool(begun, begun.setup);
  pool.ready().catch(() => undefined);
  return pool;
}

/** Opens the directory and what detectors need, and the scanning threads unless they are there. */
export async function openScanning(begun: Begun, base: Base, early: InspectPool | undefined): Promise<Scanning> {
  const { setup, config, inForce, parts, operator, inTurn, log } = begun;
  const { events } = base;
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
  const threads = early ?? newPool(begun, { ...setup, bundle: withGroups(setup.bundle, directory.snapshot) });
  const pool = operator.pool(withHealth(threads, health, engines));
  const ready = pool.ready();
  // Awaited later; a failure before that must not count as unhandled.
  ready.catch(() => undefined);
  const watchers = parts.add(new DetectorWatchers(setup.specs, log, reportFileStates(events)), (w) => w.close());
  return { pool, health, directory, watchers, ready };
}

function newPool({ parts, later, listening, log }: Begun, setup: Setup): InspectPool {
  return parts.add(
    startPool(setup, log, () => later.notices ?? NO_NOTICES, listening.given),
    (p) => p.close(),
  );
}
