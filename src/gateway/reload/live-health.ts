import type { DetectorHealth, HealthMonitor } from '../../detectors/health.js';
import type { Setup } from '../setup.js';

/** How a monitor is started: what is known of the same modules goes on from there. */
export type StartHealth = (setup: Setup, known: readonly DetectorHealth[]) => Promise<HealthMonitor>;

/** The watch over the engines of the set in force: other modules get another monitor. */
export class LiveHealth implements HealthMonitor {
  private readonly start: StartHealth;
  private current: HealthMonitor;

  private constructor(start: StartHealth, first: HealthMonitor) {
    this.start = start;
    this.current = first;
  }

  static async open(start: StartHealth, setup: Setup): Promise<LiveHealth> {
    return new LiveHealth(start, await start(setup, []));
  }

  get states(): readonly DetectorHealth[] {
    return this.current.states;
  }

  async check(): Promise<void> {
    await this.current.check();
  }

  suspect(module: string): void {
    this.current.suspect(module);
  }

  /** @throws Error when a detector cannot be made; the monitor before then stays */
  async replace(setup: Setup): Promise<void> {
    const before = this.current;
    this.current = await this.start(setup, before.states);
    await before.close();
  }

  async close(): Promise<void> {
    await this.current.close();
  }
}
