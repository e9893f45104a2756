import { isDeepStrictEqual } from 'node:util';
import { watchDetectors } from '../../detectors/active.js';
import type { DetectorSpec, Watcher } from '../../detectors/types.js';
import type { InspectPool } from '../../pipeline/pool.js';
import type { SmtpService } from '../../smtp/smtp-service.js';
import type { Log } from '../../telemetry/log.js';
import type { Setup } from '../setup.js';

/** What goes over to another set. */
export interface ApplyParts {
  readonly pool: InspectPool;
  readonly smtp: SmtpService;
  readonly health: { replace(setup: Setup): Promise<void> };
  readonly watchers: DetectorWatchers;
  readonly log: Log;
}

/** Told how taking over a file's changes went. */
type FileState = (module: string, file: string, reason: string | undefined) => void;

/** Follows the files of the detectors in force. */
export class DetectorWatchers implements Watcher {
  private readonly log: Log;
  private readonly fileState: FileState;
  private current: Watcher;

  constructor(specs: readonly DetectorSpec[], log: Log, fileState: FileState) {
    this.log = log;
    this.fileState = fileState;
    this.current = this.watch(specs);
  }

  watch(specs: readonly DetectorSpec[]): Watcher {
    return watchDetectors(specs, (module, level, text) => this.log[level]({ module }, text), this.fileState);
  }

  /** Goes over to another; the one before is ended. */
  async change(next: Watcher): Promise<void> {
    const before = this.current;
    this.current = next;
    await before.close();
  }

  async close(): Promise<void> {
    await this.current.close();
  }
}

/**
 * Puts sets in force: everything that can fail is done first, then threads, sessions and the rest change in one moment.
 * @returns what resolves when no message is judged by the set before any more
 */
export function applier(parts: ApplyParts, first: Setup): (setup: Setup, inForce: () => void) => Promise<void> {
  const { pool, smtp, health, watchers, log } = parts;
  let specs = first.specs;
  return async (setup, inForce) => {
    const { config, bundle } = setup;
    const changeSessions = await smtp.prepare(config);
    const watcher = watchers.watch(setup.specs);
    const state = { changed: false };
    try {
      await pool.reload(bundle, setup.specs, {
        limits: config.scan,
        deadline: config.scan.deadline,
        inForce: () => {
          state.changed = true;
          changeSessions();
          log.level = config.log.level;
          inForce();
        },
      });
    } finally {
      await (state.changed ? watchers.change(watcher) : watcher.close());
    }
    if (!sameModules(specs, setup.specs)) await health.replace(setup);
    specs = setup.specs;
  };
}

/** Whether the engines behind are the same; what was read from files does not matter to their health. */
function sameModules(a: readonly DetectorSpec[], b: readonly DetectorSpec[]): boolean {
  const bare = (specs: readonly DetectorSpec[]): unknown => specs.map(({ data: _, ...spec }) => spec);
  return isDeepStrictEqual(bare(a), bare(b));
}
