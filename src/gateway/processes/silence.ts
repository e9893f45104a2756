/** How another process is asked whether it still turns. Spans in ms. */
export interface Asking {
  /** Between two questions. */
  readonly interval: number;
  /** After so many questions in a row without any word it counts as hung. */
  readonly most: number;
}

/** A process that says nothing for a minute does nothing for its clients either. */
export const ASKING: Asking = { interval: 5_000, most: 12 };

/** A watch over a process that may hang without dying. */
export interface SilenceWatch {
  /** It has said something. */
  heard(): void;
  stop(): void;
}

/**
 * Asks again and again. Questions are counted, and not time: when the whole machine was held still nobody is to blame.
 * @param ask sends the question; the answer is told by `heard`
 * @param onHung called once
 */
export function watchSilence(ask: () => void, onHung: () => void, { interval, most }: Asking = ASKING): SilenceWatch {
  let unanswered = 0;
  const timer = setInterval(() => {
    if (unanswered >= most) {
      clearInterval(timer);
      onHung();
      return;
    }
    unanswered += 1;
    ask();
  }, interval);
  timer.unref();
  return {
    heard: () => {
      unanswered = 0;
    },
    stop: () => clearInterval(timer),
  };
}
