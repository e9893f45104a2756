import { closeDetectors, createDetectors } from './active.js';
import { DetectorError, internalReason } from './failure.js';
import type { ActiveDetector, DatabaseInfo, DetectorSpec } from './types.js';

/** ms in which an engine must answer. */
const PATIENCE = 5_000;
/** ms between questions to an engine about databases; after one that failed, and while they are outdated. */
const DATABASES_EVERY = 60 * 60_000;
const DATABASES_AGAIN = 5 * 60_000;
/** ms between checks of one engine, however often scans fail. */
const MIN_INTERVAL = 1_000;

export interface DatabaseState extends DatabaseInfo {
  /** ms. */
  readonly age: number;
  /** Older than `maxAge`. */
  readonly outdated: boolean;
}

/** What is known of one module's engine. */
export interface DetectorHealth {
  readonly module: string;
  /** `unknown` until the first check is done, and for modules without an engine. */
  readonly state: 'unknown' | 'up' | 'down';
  /** Since when it is in this state. */
  readonly since: Date;
  /** When it last answered. */
  readonly lastSuccess?: Date;
  /** Why it is down: for the log, never for mail or SMTP clients. */
  readonly reason?: string;
  readonly databases?: DatabaseState;
}

export interface HealthChange {
  readonly kind: 'down' | 'up' | 'databases-outdated' | 'databases-current';
  readonly health: DetectorHealth;
}

export interface HealthOptions {
  readonly specs: readonly DetectorSpec[];
  /** ms between checks. */
  readonly interval: number;
  /** Told when an engine is found gone or back, and when its databases become too old or current again. */
  readonly onChange: (change: HealthChange) => void;
  /** Told of the state after each check, whether it changed or not. */
  readonly onCheck?: (health: DetectorHealth) => void;
  /** The present, ms since the epoch. */
  readonly now?: () => number;
  /** What a monitor before this one knew: modules of the same name go on from there. */
  readonly known?: readonly DetectorHealth[];
}

/** Watches the engines behind the detectors. */
export interface HealthMonitor {
  /** By module, in the order of the configuration; modules with nothing to watch are left out. */
  readonly states: readonly DetectorHealth[];
  /** Checks all of them now. Never rejects. */
  check(): Promise<void>;
  /** A scan of this module has failed: it is checked now, if that was not done just before. */
  suspect(module: string): void;
  close(): Promise<void>;
}

/**
 * Starts to watch: at once, and then at each interval. Third parties' modules run here only when they declare that they
 * wait for an engine, since what computes belongs into the scanning threads.
 * @throws Error when a detector cannot be made
 */
export async function startHealthMonitor(options: HealthOptions): Promise<HealthMonitor> {
  const specs = options.specs.filter((spec) => spec.file === undefined || spec.waits === true);
  const active = await createDetectors(specs);
  const watched = active.filter(({ detector }) => detector.health !== undefined || detector.databases !== undefined);
  await closeDetectors(active.filter((one) => !watched.includes(one)));
  return new Monitor(watched, options);
}

class Monitor implements HealthMonitor {
  private readonly watches: readonly Watch[];
  private readonly active: readonly ActiveDetector[];
  private readonly timer: NodeJS.Timeout;

  constructor(
    active: readonly ActiveDetector[],
    { interval, onChange, onCheck, now = Date.now, known = [] }: HealthOptions,
  ) {
    this.active = active;
    this.watches = active.map((one) => new Watch(one, onChange, onCheck, now, known));
    this.timer = setInterval(() => void this.check(), interval);
    this.timer.unref();
    void this.check();
  }

  get states(): readonly DetectorHealth[] {
    return this.watches.map((watch) => watch.health);
  }

  async check(): Promise<void> {
    await Promise.all(this.watches.map(async (watch) => await watch.check()));
  }

  suspect(module: string): void {
    void this.watches.find((watch) => watch.health.module === module)?.checkSoon();
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    for (const watch of this.watches) watch.stop();
    await closeDetectors(this.active);
  }
}

/** The watch over one engine. */
class Watch {
  health: DetectorHealth;
  private readonly detector: ActiveDetector['detector'];
  private readonly onChange: (change: HealthChange) => void;
  private readonly onCheck: HealthOptions['onCheck'];
  private readonly now: () => number;
  private running: Promise<void> | undefined;
  private checkedAt = -Infinity;
  private databasesAskedAt = -Infinity;
  private databasesFailed = false;
  private stopped = false;

  constructor(
    { spec, detector }: ActiveDetector,
    onChange: (change: HealthChange) => void,
    onCheck: HealthOptions['onCheck'],
    now: () => number,
    known: readonly DetectorHealth[],
  ) {
    this.detector = detector;
    this.onChange = onChange;
    this.onCheck = onCheck;
    this.now = now;
    this.health = known.find(({ module }) => module === spec.name) ?? {
      module: spec.name,
      state: 'unknown',
      since: new Date(now()),
    };
  }

  /** One check at a time: who comes meanwhile waits for that one. */
  async check(): Promise<void> {
    if (this.stopped) return;
    this.running ??= this.run().finally(() => (this.running = undefined));
    await this.running;
  }

  async checkSoon(): Promise<void> {
    if (this.now() - this.checkedAt >= MIN_INTERVAL) await this.check();
  }

  stop(): void {
    this.stopped = true;
  }

  private async run(): Promise<void> {
    this.checkedAt = this.now();
    const { detector } = this;
    if (detector.health !== undefined) {
      const reason = await inTime(async (signal) => await detector.health?.(signal));
      this.note('error' in reason ? reason.error : undefined);
    }
    if (this.health.state !== 'down') await this.askDatabases();
    this.judgeDatabases();
    if (!this.stopped) this.onCheck?.(this.health);
  }

  private note(reason: string | undefined): void {
    if (this.stopped) return;
    const { databases, module, lastSuccess } = this.health;
    const now = new Date(this.now());
    const before = this.health.state;
    const state = reason === undefined ? 'up' : 'down';
    const last = reason === undefined ? now : lastSuccess;
    this.health = {
      module,
      state,
      since: state === before ? this.health.since : now,
      ...(last === undefined ? {} : { lastSuccess: last }),
      ...(reason === undefined ? {} : { reason }),
      ...(databases === undefined ? {} : { databases }),
    };
    if (state === before) return;
    // An engine that comes back may come with other databases.
    if (state === 'up') this.databasesAskedAt = -Infinity;
    if (state === 'down' || before === 'down') this.onChange({ kind: state, health: this.health });
  }

  private async askDatabases(): Promise<void> {
    const { detector } = this;
    const outdated = this.health.databases?.outdated ?? false;
    const asked = this.now() - this.databasesAskedAt;
    const wait =
      detector.databasesAtHand === true ? 0 : outdated || this.databasesFailed ? DATABASES_AGAIN : DATABASES_EVERY;
    if (detector.databases === undefined || asked < wait) return;
    const answer = await inTime(async (signal) => await detector.databases?.(signal));
    this.databasesAskedAt = this.now();
    this.databasesFailed = 'error' in answer;
    if ('error' in answer || this.stopped) return;
    const { databases: _, ...rest } = this.health;
    this.health = answer.value === undefined ? rest : { ...rest, databases: { ...answer.value, age: 0, outdated } };
  }

  /** They grow old without being asked. */
  private judgeDatabases(): void {
    const { databases } = this.health;
    if (databases === undefined || this.stopped) return;
    const age = Math.max(0, this.now() - databases.date.getTime());
    const outdated = databases.maxAge !== undefined && age > databases.maxAge;
    this.health = { ...this.health, databases: { ...databases, age, outdated } };
    if (outdated !== databases.outdated)
      this.onChange({ kind: outdated ? 'databases-outdated' : 'databases-current', health: this.health });
  }
}

/** What the module answers, or why it does not, also when it does not heed the signal. */
async function inTime<T>(
  ask: (signal: AbortSignal) => Promise<T>,
): Promise<{ readonly value: T } | { readonly error: string }> {
  const abort = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new DetectorError('no answer in time'));
      abort.abort();
    }, PATIENCE);
  });
  try {
    return { value: await Promise.race([ask(abort.signal), late]) };
  } catch (error) {
    return { error: internalReason(error) };
  } finally {
    clearTimeout(timer);
  }
}
