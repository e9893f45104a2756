import { messageOf } from '../../store/errors.js';
import type { Log } from '../../telemetry/log.js';

/** Something that is looked at again and again. */
export interface Rounds {
  /** Looks now; a call while a look is under way asks for one more after it. */
  now(): void;
  close(): Promise<void>;
}

export interface RoundsOptions {
  /** ms between two looks. */
  readonly interval: number;
  readonly look: () => Promise<void>;
  /** Called after the first look. */
  readonly onFirst: () => void;
  readonly log: Log;
}

/** Looks at once and then at each interval, one look at a time. */
export function startRounds({ interval, look, onFirst, log }: RoundsOptions): Rounds {
  const state = { again: false, first: true, closed: false };
  let running: Promise<void> | undefined;

  const askedAgain = (): boolean => state.again;

  async function run(): Promise<void> {
    for (;;) {
      state.again = false;
      try {
        await look();
      } catch (error) {
        log.error({ reason: messageOf(error) }, 'a check of the node failed');
      }
      if (state.first && !state.closed) onFirst();
      state.first = false;
      if (!askedAgain()) return;
    }
  }

  function now(): void {
    if (state.closed) return;
    if (running !== undefined) {
      state.again = true;
      return;
    }
    running = run().finally(() => (running = undefined));
  }

  const timer = setInterval(() => {
    if (running === undefined) now();
  }, interval);
  timer.unref();
  now();
  return {
    now,
    close: async () => {
      state.closed = true;
      state.again = false;
      clearInterval(timer);
      await running;
    },
  };
}
