import { startHealthMonitor, type HealthChange, type HealthMonitor } from '../detectors/health.js';
import type { InspectPool } from '../pipeline/pool.js';
import type { Log } from '../telemetry/log.js';
import { LiveHealth } from './reload/live-health.js';
import type { Setup } from './setup.js';
import type { EngineEvents } from './watch/engines.js';

const DAY = 86_400_000;

/** Watches the engines of the configured detectors, and says in the log what changes. */
export async function watchHealth(setup: Setup, log: Log, engines: EngineEvents): Promise<LiveHealth> {
  return await LiveHealth.open(async ({ config, specs }, known) => {
    const monitor = await startHealthMonitor({
      specs,
      interval: config.health,
      known,
      onChange: (change) => logChange(change, log),
      onCheck: (health) => engines.checked(health),
    });
    // The first round runs already: this waits for it.
    void monitor.check().then(() => engines.firstRound(specs.map(({ name }) => name)));
    return monitor;
  }, setup);
}

/** The pool, with the watch told of modules that failed: an engine that is gone is seen at its first failed use. */
export function withHealth(pool: InspectPool, health: HealthMonitor, engines: EngineEvents): InspectPool {
  return {
    ready: async () => await pool.ready(),
    inspect: async (input, source, begun) => {
      const inspection = await pool.inspect(input, source, begun);
      for (const { module, status, cause } of inspection.modules) {
        engines.scanned(module, status, cause);
        if (status === 'error' || status === 'timeout') health.suspect(module);
      }
      return inspection;
    },
    reload: async (bundle, specs, more) => await pool.reload(bundle, specs, more),
    close: async () => await pool.close(),
    get counters() {
      return pool.counters;
    },
  };
}

function logChange({ kind, health }: HealthChange, log: Log): void {
  const { module, reason, lastSuccess, databases } = health;
  switch (kind) {
    case 'down':
      log.error({ module, reason, lastSuccess }, 'the engine of a detector does not answer');
      return;
    case 'up':
      log.info({ module }, 'the engine of a detector answers again');
      return;
    case 'databases-outdated':
    case 'databases-current': {
      const { version, date, age = 0 } = databases ?? {};
      const facts = { module, version, date, days: Math.floor(age / DAY) };
      if (kind === 'databases-outdated') log.error(facts, 'the databases of a detector are outdated');
      else log.info(facts, 'the databases of a detector are current again');
    }
  }
}
