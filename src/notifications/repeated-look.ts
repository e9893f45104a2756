import type { QueueBackend } from '../queue/types.js';
import { messageOf } from '../store/errors.js';
import type { Log } from '../telemetry/log.js';

/** The job that a queue repeats. */
export interface LookJob {
  readonly look: true;
}

export interface RepeatedLookOptions {
  readonly queue: QueueBackend;
  /** Of the queue; its jobs are worked on before this is made. */
  readonly name: string;
  /** What is looked for. */
  readonly what: string;
  /** How often it is looked, ms. */
  readonly every: number;
  /** How often the queue is asked anew, should it have forgotten, ms. */
  readonly ask?: number;
  /** Whether there may be anything to look for; default: always. */
  readonly wanted?: () => boolean;
  readonly log: Log;
}

const ASK = 60_000;

/** Has the queue repeat a job that looks what is due: once for all workers, and also after the queue was emptied. */
export class RepeatedLook {
  readonly #options: RepeatedLookOptions;
  readonly #timer: NodeJS.Timeout;
  #closed = false;

  constructor(options: RepeatedLookOptions) {
    this.#options = options;
    options.queue.onAvailable(() => void this.#ask());
    this.#timer = setInterval(() => void this.#ask(), options.ask ?? ASK);
    this.#timer.unref();
    void this.#ask();
  }

  /** The queue is asked no more. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
  }

  /** Never rejects: it is asked again. */
  async #ask(): Promise<void> {
    const { queue, name, what, every, wanted, log } = this.#options;
    if (this.#closed || !queue.available || wanted?.() === false) return;
    try {
      await queue.queue<LookJob>(name).repeat('look', { look: true }, every);
    } catch (error) {
      log.debug({ reason: messageOf(error) }, `the queue cannot be asked to look for ${what}`);
    }
  }
}
