import type { EventService } from '../../events/types.js';
import { messageOf, StoreError } from '../../store/errors.js';
import type { OpenStore } from '../../store/open.js';
import type { Log } from '../../telemetry/log.js';
import { startRounds, type Rounds } from './rounds.js';

/** A database that has said nothing for so long does not answer, ms. */
const PATIENCE = 3000;

export interface StoreWatch extends Rounds {
  readonly available: boolean;
}

/** Reports `store-unavailable`: looked at in each interval, and at once when a connection breaks. */
export function watchStore(
  store: Pick<OpenStore, 'ping' | 'onLost' | 'name'>,
  events: EventService,
  interval: number,
  log: Log,
): StoreWatch {
  let available = true;
  const rounds = startRounds({
    interval,
    log,
    onFirst: () => events.checked(['store-unavailable']),
    look: async () => {
      const reason = await failureOf(store.ping());
      const before = available;
      available = reason === undefined;
      if (reason === undefined) {
        events.resolve('store-unavailable', store.name);
        // What waited for it goes first.
        if (!before) await Promise.allSettled([events.flush()]);
      } else {
        events.raise('store-unavailable', {
          subject: store.name,
          detail: `${reason}; mail flows, what a rule puts into quarantine is answered 451`,
        });
      }
    },
  });
  store.onLost(() => rounds.now());
  return {
    ...rounds,
    get available() {
      return available;
    },
  };
}

async function failureOf(ping: Promise<void>): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve('the database does not answer: no answer in time'), PATIENCE);
  });
  try {
    return await Promise.race([ping.then(() => undefined, reasonOf), late]);
  } finally {
    clearTimeout(timer);
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof StoreError && error.code === 'read-only') return error.message.replace(/^T/, 't');
  return `the database does not answer: ${messageOf(error).replace(/^The database does not answer: /, '')}`;
}
