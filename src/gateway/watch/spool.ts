import { formatDuration, formatSize } from '../../config/units.js';
import type { SpoolState } from '../../delivery/types.js';
import type { EventService } from '../../events/types.js';
import type { Log } from '../../telemetry/log.js';
import { startRounds, type Rounds } from './rounds.js';

/** The disk and the counters are looked at so often, ms. */
const INTERVAL = 1000;
/** Parts of the spool's limits: raised at the first, resolved below the second. */
const FULL = 0.9;
const ROOM_AGAIN = 0.8;
/** Free disk, as a multiple of the limit, from which `disk-low` is over. */
const FREE_AGAIN = 1.05;

export interface SpoolWatchOptions {
  readonly state: () => SpoolState;
  /** `delivery.retry.lifetime`, ms: mail that has waited a third of it is a backlog. */
  readonly lifetime: number;
  readonly events: EventService;
  readonly log: Log;
}

/** Reports `disk-low` and `spool-backlog`. */
export function watchSpool({ state, lifetime, events, log }: SpoolWatchOptions): Rounds {
  const holds = { disk: false, backlog: false };
  return startRounds({
    interval: INTERVAL,
    log,
    onFirst: () => events.checked(['disk-low', 'spool-backlog']),
    look: () => {
      const now = state();
      const disk = diskLow(now, holds.disk);
      const backlog = backlogOf(now, lifetime, Date.now(), holds.backlog);
      holds.disk = disk !== undefined;
      holds.backlog = backlog !== undefined;
      if (disk === undefined) events.resolve('disk-low');
      else events.raise('disk-low', { detail: disk });
      if (backlog === undefined) events.resolve('spool-backlog');
      else events.raise('spool-backlog', { detail: backlog });
      return Promise.resolve();
    },
  });
}

/** What is to be said of the disk; undefined when there is room. @param before whether the condition holds already */
export function diskLow({ freeDisk, minFreeDisk }: SpoolState, before: boolean): string | undefined {
  if (freeDisk === undefined || freeDisk > minFreeDisk * (before ? FREE_AGAIN : 1)) return undefined;
  return `${formatSize(freeDisk)} are free on the disk of the spool, ${formatSize(minFreeDisk)} must stay free: mail is answered 452`;
}

/** What is to be said of the waiting mail; undefined when it is not much. @param lifetime ms @param now ms since the epoch */
export function backlogOf(spool: SpoolState, lifetime: number, now: number, before: boolean): string | undefined {
  const part = before ? ROOM_AGAIN : FULL;
  const waiting = `${spool.items} messages of ${formatSize(spool.bytes)} wait`;
  if (spool.items >= spool.maxItems * part)
    return `${waiting}; from ${spool.maxItems} messages on mail is answered 452`;
  if (spool.bytes >= spool.maxSize * part)
    return `${waiting}; from ${formatSize(spool.maxSize)} on mail is answered 452`;
  const age = spool.oldest === undefined ? 0 : now - spool.oldest.getTime();
  if (age < lifetime / 3) return undefined;
  return `${waiting}, the oldest for ${formatDuration(age)}; it is given up after ${formatDuration(lifetime)}`;
}
