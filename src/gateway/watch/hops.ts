import type { Delivery } from '../../delivery/types.js';
import type { EventService } from '../../events/types.js';
import type { Log } from '../../telemetry/log.js';
import { startRounds, type Rounds } from './rounds.js';

/**
 * Looks in each interval whether the next hops take connections; delivery itself reports those that do not. Nothing is
 * connected before the first interval is over.
 */
export function watchHops(delivery: Delivery, events: EventService, interval: number, log: Log): Rounds {
  let first = true;
  return startRounds({
    interval,
    log,
    onFirst: () => undefined,
    look: async () => {
      if (first) {
        first = false;
        return;
      }
      await delivery.checkHops();
      events.checked(['next-hop-unavailable']);
    },
  });
}
