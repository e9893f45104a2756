import { isDeepStrictEqual } from 'node:util';
import { followsItsFiles, watchDetectors } from '../../detectors/active.js';
import type { DetectorSpec, Watcher } from '../../detectors/types.js';
import type { InspectPool } from '../../pipeline/pool.js';
import type { RuleBundle } from '../../rules/model.js';
import type { SmtpService } from '../../smtp/smtp-service.js';
import { changeLog, type Log } from '../../telemetry/log.js';
import type { Setup } from '../setup.js';

/** What goes over to another set. */
export interface ApplyParts {
  readonly pool: Pick<InspectPool, 'reload'>;
  readonly smtp: Pick<SmtpService, 'prepare'>;
  readonly health: { replace(setup: Setup): Promise<void> };
  readonly watchers: DetectorWatchers;
  /** The rules with the directory's groups as they are now. */
  readonly withGroups: (bundle: RuleBundle) => RuleBundle;
  readonly log: Log;
}

/** Told how taking over a file's changes went. */
type FileState = (module: string, file: string, reason: string | undefined) => void;

/** Follows the files of the detectors in force. */
export class DetectorWatchers implements Watcher {
  private readonly log: Log;
  private readonly fileState: FileState;
  /** Files of each watch whose changes could not be taken over. */
  private readonly failing = new WeakMap<Watcher, Map<string, readonly [module: string, file: string]>>();
  private current: Watcher;

  constructor(specs: readonly DetectorSpec[], log: Log, fileState: FileState) {
    this.log = log;
    this.fileState = fileState;
    this.current = this.watch(specs);
  }

  watch(specs: readonly DetectorSpec[]): Watcher {
    const failing = new Map<string, readonly [module: string, file: string]>();
    const watcher = watchDetectors(
      specs,
      (module, level, text) => this.log[level]({ module }, text),
      (module, file, reason) => {
        if (reason === undefined) failing.delete(keyOf(module, file));
        else failing.set(keyOf(module, file), [module, file]);
        this.fileState(module, file, reason);
      },
    );
    this.failing.set(watcher, failing);
    return watcher;
  }

  /** Goes over to another; the one before is ended. */
  async change(next: Watcher): Promise<void> {
    const before = this.current;
    this.current = next;
    await before.close();
    // The set in force was loaded whole, and a file that it does not name is nobody's any more.
    const still = this.failing.get(next);
    for (const [key, [module, file]] of this.failing.get(before) ?? [])
      if (still?.has(key) !== true) this.fileState(module, file, undefined);
  }

  async close(): Promise<void> {
    await this.current.close();
  }
}

function keyOf(module: string, file: string): string {
  return JSON.stringify([module, file]);
}

/**
 * Puts sets in force: everything that can fail is done first, then threads, sessions and the rest change in one moment.
 * Where the modules stay, so do the threads, and the watch over the modules' files.
 * @returns what resolves when no message is judged by the set before any more
 */
export function applier(parts: ApplyParts, first: Setup): (setup: Setup, inForce: () => void) => Promise<void> {
  const { pool, smtp, health, watchers, withGroups, log } = parts;
  let inUse = first.specs;
  let interval = first.config.health;
  return async (setup, inForce) => {
    const { config, bundle, specs } = setup;
    const changeSessions = await smtp.prepare(config);
    const kept = sameThroughout(inUse, specs);
    const watcher = kept ? undefined : watchers.watch(specs);
    const state = { changed: false };
    try {
      await pool.reload(withGroups(bundle), kept ? undefined : specs, {
        limits: config.scan,
        deadline: config.scan.deadline,
        inForce: () => {
          state.changed = true;
          changeSessions();
          changeLog(log, config.log);
          inForce();
        },
      });
    } finally {
      if (watcher !== undefined) await (state.changed ? watchers.change(watcher) : watcher.close());
    }
    const sameHealth = sameModules(inUse, specs) && config.health === interval;
    if (!kept) inUse = specs;
    interval = config.health;
    if (!sameHealth) await replaceHealth(setup);
  };

  /** The set is in force by now: what fails here is no reason to say that it is not. */
  async function replaceHealth(setup: Setup): Promise<void> {
    try {
      await health.replace(setup);
    } catch (error) {
      log.error({ err: error }, 'the watch over the engines could not be renewed: the former one goes on');
    }
  }
}

/**
 * Whether threads that run can go on with them: what modules have read from files is the same, or they follow it
 * themselves. The code of a third party's module, and what it imports, may be another each time.
 */
function sameThroughout(a: readonly DetectorSpec[], b: readonly DetectorSpec[]): boolean {
  const followed = (specs: readonly DetectorSpec[]): boolean =>
    specs.every(({ name, file, data }) => file === undefined && (data === undefined || followsItsFiles(name)));
  return sameModules(a, b) && followed(a) && followed(b);
}

/** Whether the engines behind are the same; what was read from files does not matter to their health. */
function sameModules(a: readonly DetectorSpec[], b: readonly DetectorSpec[]): boolean {
  const bare = (specs: readonly DetectorSpec[]): unknown => specs.map(({ data: _, ...spec }) => spec);
  return isDeepStrictEqual(bare(a), bare(b));
}
