import { setTimeout as delay } from 'node:timers/promises';
import { ConfigError, formatPlace, type Problem } from '../../config/problems.js';
import type { EventReporter } from '../../events/types.js';
import type { Log } from '../../telemetry/log.js';
import { loadConfig, type Config } from '../../config/load.js';
import type { Purpose, Setup } from '../setup.js';
import { fingerprintOf, type Fingerprint } from './fingerprint.js';
import { ownRulesOf, type InForce } from './in-force.js';
import { liveConfig } from './live-config.js';
import { Loader, type Loaded } from './load.js';
import { placesOf, type Places } from './places.js';
import { FileWatch } from './watch.js';

/** How often files that change while they are read are read again, and ms between. */
const ATTEMPTS = 20;
const AGAIN = 250;
/** Problems that are logged and kept for `status`. */
const MAX_PROBLEMS = 200;

export interface ReloaderOptions {
  readonly purpose: Purpose;
  /** Path given with --config, and the working directory of the start. */
  readonly file?: string;
  readonly cwd: string;
  /** Where gatepost.yaml lies or would lie. */
  readonly wanted: string;
  /** The configuration as the admin has it, for where its files lie. */
  readonly edited: Config;
  readonly inForce: InForce;
  readonly events: EventReporter;
  readonly log: Log;
  /**
   * Puts a set in force: calls `inForce` in the moment of the change, and resolves when no message is judged by the one
   * before any more. @throws Error when it cannot be put in force; nothing has changed then
   */
  readonly apply: (setup: Setup, inForce: () => void) => Promise<void>;
  /** Keeps the set for `start --last-good`. */
  readonly keep: (places: Places, hash: string, unchanged: () => Promise<boolean>) => Promise<void>;
  /** What this process makes of a configuration, when it is one of several. */
  readonly own?: (config: Config) => Config;
  /** Why the present set was not taken at the start (`--last-good`). */
  readonly refused?: ConfigError;
  /** ms between looks at the files. */
  readonly interval?: number;
  /** ms that loading a set may take. */
  readonly patience?: number;
}

/** How the last reload went. */
export interface LastReload {
  readonly at: Date;
  readonly ok: boolean;
  /** Errors, when it was refused; else warnings. */
  readonly problems: readonly Problem[];
}

/** For `gatepost status`. */
export interface SettingsStatus {
  /** Of the set in force; see setHash. */
  readonly hash: string;
  readonly loadedAt: Date;
  /** Absent before the first reload. */
  readonly lastReload?: LastReload;
  /** Keys that were changed and wait for a restart. */
  readonly waiting: readonly string[];
  /** Sets that were put in force since the start. */
  readonly reloads: number;
}

/**
 * Keeps a running gateway at what its files say: loads, checks and puts in force what has changed, as one, or refuses it
 * as one. One reload at a time; what changes meanwhile is taken by the next, of which there is never more than one.
 */
export class Reloader {
  private readonly options: ReloaderOptions;
  private readonly watch: FileWatch;
  private readonly loader: Loader;
  private readonly stop = new AbortController();
  private places: Places;
  private loaded: Fingerprint | undefined;
  private last: LastReload | undefined;
  private waiting: readonly string[] = [];
  private reloads = 0;
  private wanted = false;
  private running: Promise<void> | undefined;

  constructor(options: ReloaderOptions) {
    this.options = options;
    this.places = placesOf(options.edited, options.wanted);
    this.loader = new Loader(options.patience === undefined ? {} : { patience: options.patience });
    this.watch = new FileWatch({
      look: async () => await fingerprintOf(this.places),
      loaded: () => this.loaded,
      failed: () => this.last?.ok === false,
      changed: () => this.request(),
      trouble: (error) => options.log.error({ err: error }, 'the settings cannot be followed'),
      ...(options.interval === undefined ? {} : { interval: options.interval }),
    });
  }

  /**
   * Remembers how the files were when the set of the start was loaded, keeps it, and says what was refused.
   * @param before how they were before it was loaded
   */
  async begin(before: Fingerprint): Promise<void> {
    this.loaded = before;
    const { refused } = this.options;
    if (refused === undefined) await this.keep(before, this.options.inForce.hash);
    else this.fail(refused.problems);
  }

  get status(): SettingsStatus {
    const { hash, loadedAt } = this.options.inForce;
    const { last, waiting, reloads } = this;
    return { hash, loadedAt, ...(last === undefined ? {} : { lastReload: last }), waiting, reloads };
  }

  /** Loads the files as soon as it can, changed or not. Never waits. */
  request(): void {
    this.wanted = true;
    this.running ??= this.work().finally(() => (this.running = undefined));
  }

  /** Ends what is under way; what is in force stays so. */
  async close(): Promise<void> {
    this.stop.abort();
    await this.watch.close();
    await this.running;
    await this.loader.close();
  }

  private async work(): Promise<void> {
    while (this.wanted && !this.stopping()) {
      this.wanted = false;
      try {
        await this.reload();
      } catch (error) {
        if (!this.stopping()) this.fail(problemsOf(error));
      }
    }
  }

  private stopping(): boolean {
    return this.stop.signal.aborted;
  }

  private async reload(): Promise<void> {
    const { inForce, apply, log, own = asItIs } = this.options;
    const { setup, hash, print } = await this.loadStill();
    const ownRules = await ownRulesOf(setup.config);
    const { config, waiting } = liveConfig(inForce.config, own(setup.config));
    await apply({ ...setup, config }, () => {
      inForce.change({ ...setup, config }, hash, ownRules);
      this.succeed(setup, waiting);
    });
    log.debug({ hash }, 'no message is judged by the former set any more');
    await this.keep(print, hash);
  }

  /** Loads until nothing was written meanwhile, so that no set is half of one and half of another. */
  private async loadStill(): Promise<Loaded & { readonly print: Fingerprint }> {
    for (let attempt = 1; ; attempt++) {
      await this.findPlaces();
      const print = await fingerprintOf(this.places);
      this.loaded = print;
      const loaded = await this.loadOnce();
      const still = (await fingerprintOf(this.places)).set === print.set;
      if (still && 'failure' in loaded) throw loaded.failure;
      if (still && 'setup' in loaded) return { ...loaded, print };
      if (this.stopping()) throw new Error('the gateway is stopping');
      if (attempt === ATTEMPTS) throw new Error('the files change faster than they can be read');
      await delay(AGAIN, undefined, { signal: this.stop.signal });
    }
  }

  private async loadOnce(): Promise<Loaded | { readonly failure: ConfigError }> {
    const { purpose, file, cwd, inForce } = this.options;
    try {
      return await this.loader.load({
        purpose,
        ...(file === undefined ? {} : { file }),
        cwd,
        before: inForce.ownRules === undefined ? {} : { rules: inForce.ownRules },
        signal: this.stop.signal,
      });
    } catch (error) {
      if (error instanceof ConfigError) return { failure: error };
      throw error;
    }
  }

  /** Where the files lie now; with a configuration that cannot be read, where they lay before. */
  private async findPlaces(): Promise<void> {
    const { file, cwd, wanted } = this.options;
    try {
      this.places = placesOf((await loadConfig(file, cwd)).config, wanted);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
    }
  }

  private succeed(setup: Setup, waiting: readonly string[]): void {
    const { log, events, inForce } = this.options;
    this.waiting = waiting;
    this.reloads++;
    this.last = { at: new Date(), ok: true, problems: setup.warnings.slice(0, MAX_PROBLEMS) };
    for (const problem of this.last.problems) log.warn(factsOf(problem), problem.message);
    log.info({ hash: inForce.hash, rules: setup.bundle.rules.length }, 'the changed settings are in force');
    if (waiting.length > 0) log.warn({ keys: waiting }, 'changed settings take effect only after a restart');
    events.resolve('settings-not-applied');
  }

  private fail(problems: readonly Problem[]): void {
    const { log, events, inForce } = this.options;
    const errors = problems.filter(({ severity }) => severity === 'error');
    this.last = { at: new Date(), ok: false, problems: errors.slice(0, MAX_PROBLEMS) };
    for (const problem of this.last.problems) log.error(factsOf(problem), problem.message);
    const [first] = errors;
    const reason = first === undefined ? 'unknown' : oneLine(first);
    const count = errors.length === 1 ? '1 error' : `${errors.length} errors, the first`;
    log.error({ errors: errors.length, reason }, 'the settings are not applied: the last good set stays in force');
    events.raise('settings-not-applied', {
      detail: `${count}: ${reason}. The last good set stays in force; \`gatepost check\` shows all errors.`,
      lastSuccess: inForce.loadedAt,
    });
  }

  private async keep(print: Fingerprint, hash: string): Promise<void> {
    const { keep, log } = this.options;
    try {
      const { places } = this;
      await keep(places, hash, async () => (await fingerprintOf(places)).set === print.set);
    } catch (error) {
      log.warn({ err: error }, 'the set could not be kept for `start --last-good`');
    }
  }
}

function problemsOf(error: unknown): readonly Problem[] {
  if (error instanceof ConfigError) return error.problems;
  const reason = error instanceof Error ? error.message : String(error);
  return [{ severity: 'error', message: `the new settings cannot be put in force: ${reason}` }];
}

function oneLine({ place, message }: Problem): string {
  return `${place === undefined ? '' : `${formatPlace(place)}: `}${message}`.slice(0, 500);
}

function factsOf({ place, hint }: Problem): Readonly<Record<string, unknown>> {
  return {
    ...(place === undefined ? {} : { place: formatPlace(place) }),
    ...(hint === undefined ? {} : { hint }),
  };
}

function asItIs(config: Config): Config {
  return config;
}
