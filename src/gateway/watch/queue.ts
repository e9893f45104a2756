import type { EventService } from '../../events/types.js';
import type { QueueBackend } from '../../queue/types.js';
import type { Log } from '../../telemetry/log.js';
import { startRounds, type Rounds } from './rounds.js';

/** Reports `queue-unavailable` as soon as the queue says so, and `cluster-misconfigured` when it may lose jobs. */
export function watchQueue(queue: QueueBackend, events: EventService, interval: number, log: Log): Rounds {
  let reason = 'it has not answered yet';
  const rounds = startRounds({
    interval,
    log,
    onFirst: () => events.checked(['queue-unavailable', 'cluster-misconfigured']),
    look: async () => {
      const unfit = await queue.unfit();
      if (unfit !== undefined) events.raise('cluster-misconfigured', { detail: unfit });
      else if (queue.available) events.resolve('cluster-misconfigured');
      if (queue.available) events.resolve('queue-unavailable', queue.name);
      else
        events.raise('queue-unavailable', {
          subject: queue.name,
          detail: `${whyOf(unfit ?? queue.trouble ?? reason)}; mail flows, retries and notifications wait on disk`,
        });
    },
  });
  queue.onUnavailable((why) => {
    reason = why;
    rounds.now();
  });
  queue.onAvailable(() => rounds.now());
  return rounds;
}

/** A reason that says no more than that there is no answer is not told twice. */
function whyOf(reason: string): string {
  const silent = 'the job queue does not answer';
  return reason === '' || reason === silent ? silent : `${silent}: ${reason}`;
}
