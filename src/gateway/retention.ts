import type { Config } from '../config/load.js';
import { formatSize } from '../config/units.js';
import type { EventReporter } from '../events/types.js';
import { messageOf } from '../store/errors.js';
import type { Quarantine, RetentionReport, Store } from '../store/types.js';
import type { Log } from '../telemetry/log.js';
import { finishReleases } from './release-folder.js';

export interface RetentionParts {
  readonly config: Pick<Config, 'retention'>;
  readonly store: Pick<Store, 'quarantine' | 'journal' | 'retention'>;
  readonly events: EventReporter;
  readonly log: Log;
  /** `<data>/spool` */
  readonly spool: string;
  readonly now?: () => number;
}

/** What keeps the store within the bounds of `retention:`. */
export interface RetentionService {
  /** The quarantine, watched: a failed `put` is an event, and much that is put leads to an early run. */
  readonly quarantine: Quarantine;
  /** One run now, also when it is not due; resolves when it is over. Never rejects. */
  run(): Promise<void>;
  close(): Promise<void>;
}

/** Shares of the quarantine's size: raised from the one on, resolved under the other. */
const ALMOST_FULL = { raise: 0.9, resolve: 0.85 };
/** Share of the size that is put before a run comes early. */
const EARLY = 0.05;
/** Bounds of the time between two runs, ms. */
const INTERVAL = { shortest: 1000, longest: 60_000 };

/**
 * Runs retention at once and then about every minute. Every node does; of those that come together one deletes, and the
 * others find that it is at it.
 */
export function startRetention(parts: RetentionParts): RetentionService {
  const { config, store, events, log } = parts;
  const now = parts.now ?? Date.now;
  const { journal, quarantine } = config.retention;
  const interval = Math.max(INTERVAL.shortest, Math.min(journal.age / 10, quarantine.age / 10, INTERVAL.longest));
  const gone = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  /** Bytes that were put since the last run. */
  let put = 0;
  /** Storing failed last, or nothing is known of it yet. */
  let putUnsure = true;
  let full = false;
  let failing = false;

  function plan(): void {
    clearTimeout(timer);
    if (!gone.signal.aborted) timer = setTimeout(() => void run(), interval).unref();
  }

  async function run(): Promise<void> {
    running ??= once().finally(() => {
      running = undefined;
      plan();
    });
    await running;
  }

  async function once(): Promise<void> {
    put = 0;
    try {
      if (putUnsure) await retryPut();
      const finished = await finishReleases(parts.spool, store, new Date(now()));
      for (const item of finished) log.info({ item }, 'a release from the quarantine that had been cut off goes on');
      await reportFill(false);
      const limits = {
        now: new Date(now()),
        journalAge: journal.age,
        quarantineAge: quarantine.age,
        quarantineSize: quarantine.size,
      };
      const report = await store.retention.run(limits, gone.signal);
      if (report !== undefined) logReport(report, log);
      if (report !== undefined) await reportFill(report.oversize.items > 0);
      if (failing) log.info('retention runs again');
      failing = false;
    } catch (error) {
      if (!failing) log.warn({ reason: messageOf(error) }, 'retention cannot run: nothing old is deleted meanwhile');
      failing = true;
    }
  }

  /** No rule may want anything put aside for days: whether it would work is tried without one. */
  async function retryPut(): Promise<void> {
    await store.quarantine.probe();
    succeeded();
  }

  /** @param deleting the oldest had to go: that is worth to be said again */
  async function reportFill(deleting: boolean): Promise<void> {
    const { items, bytes } = await store.quarantine.total();
    const share = bytes / quarantine.size;
    if (share >= ALMOST_FULL.raise && (!full || deleting)) {
      full = true;
      events.raise('quarantine-almost-full', {
        detail:
          `${items} messages take ${formatSize(bytes)} of ${formatSize(quarantine.size)}: beyond that the oldest are ` +
          'deleted. Release or delete what is not needed, or set `retention.quarantine.size` higher.',
      });
    } else if (share < ALMOST_FULL.resolve) {
      full = false;
      events.resolve('quarantine-almost-full');
    }
  }

  function succeeded(): void {
    putUnsure = false;
    events.resolve('quarantine-failed');
  }

  const watched: Quarantine = {
    ...store.quarantine,
    put: async (item, bytes) => {
      try {
        await store.quarantine.put(item, bytes);
      } catch (error) {
        putUnsure = true;
        events.raise('quarantine-failed', {
          detail: `A message could not be put aside and was deferred: ${messageOf(error)}. See to the database and its disk.`,
        });
        throw error;
      }
      succeeded();
      put += item.size;
      if (put >= quarantine.size * EARLY && running === undefined && !gone.signal.aborted) {
        put = 0;
        void run();
      }
    },
  };

  void run();
  return {
    quarantine: watched,
    run,
    close: async () => {
      gone.abort();
      clearTimeout(timer);
      await running;
    },
  };
}

function logReport({ journal, aged, oversize }: RetentionReport, log: Log): void {
  if (journal + aged.items + oversize.items === 0) return;
  log.info(
    { journal, quarantineAged: aged.items, quarantineOversize: oversize.items, bytes: aged.bytes + oversize.bytes },
    'retention: what is over its time or the size was deleted',
  );
}
