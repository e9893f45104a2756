import type { Config } from '../../config/load.js';
import type { EventReporter } from '../../events/types.js';
import type { Log } from '../../telemetry/log.js';
import type { Setup } from '../setup.js';
import type { InForce } from './in-force.js';
import { keepLastGood } from './last-good.js';
import type { OpenedSettings } from './open-settings.js';
import { Reloader } from './reloader.js';

export interface FollowParts {
  readonly opened: OpenedSettings;
  /** What this process makes of a configuration, when it is one of several. */
  readonly own?: (config: Config) => Config;
  readonly inForce: InForce;
  readonly events: EventReporter;
  readonly log: Log;
  readonly apply: (setup: Setup, inForce: () => void) => Promise<void>;
}

/** Follows the files of a gateway that has just started, until it is closed. */
export async function followSettings({ opened, own, inForce, events, log, apply }: FollowParts): Promise<Reloader> {
  const { purpose, file, cwd, wanted, edited, print, refused } = opened;
  const { data } = inForce.config;
  const reloader = new Reloader({
    ...(file === undefined ? {} : { file }),
    purpose,
    cwd,
    wanted,
    edited,
    inForce,
    events,
    log,
    apply,
    ...(own === undefined ? {} : { own }),
    keep: async (places, hash, unchanged) => await keepLastGood({ data, places, hash, unchanged }),
    ...(refused === undefined ? {} : { refused }),
  });
  await reloader.begin(print);
  return reloader;
}
