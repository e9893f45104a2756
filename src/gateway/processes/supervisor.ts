import cluster, { type Worker } from 'node:cluster';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../../config/load.js';
import { holdStore } from '../../store/open.js';
import type { Log } from '../../telemetry/log.js';
import { openCopyMark } from '../copy-mark.js';
import type { HttpAddress } from '../http/server.js';
import { serveBeforeWorkers } from '../http/take-over.js';
import { Parts } from '../parts.js';
import { PLACE } from './child.js';
import { readInForce, readReady, type Order, type ReadyFacts } from './messages.js';
import { processPages } from './pages.js';
import { watchSilence, type SilenceWatch } from './silence.js';

/** Pause before a process that died is started again, ms: it doubles up to the last value. */
const PAUSE = { first: 250, last: 30_000 };
/** What closing takes beyond the time for sessions and deliveries, ms. */
const STOP_MARGIN = 20_000;

/** The processes of a gateway that share its addresses. */
export interface Processes {
  /** What the first one said when all took mail. */
  readonly facts: ReadyFacts;
  readonly pages: readonly HttpAddress[];
  /** Resolves, with why, when they cannot be kept running: the whole is to be stopped and started anew. */
  readonly broken: Promise<string>;
  /** Has all of them load the settings anew. */
  reload(): void;
  /** Lets all of them stop in the ordinary way; those that do not are ended. */
  close(): Promise<void>;
}

/** A process could not start; it has said why itself. */
export class ProcessStartError extends Error {
  override readonly name = 'ProcessStartError';
}

/** How one of the processes stands. */
export interface ProcessState {
  readonly number: number;
  readonly up: boolean;
  /** How often it was started again. */
  readonly restarts: number;
}

/**
 * Starts the processes, and starts each again that dies, for ever. They share the sockets: whichever is free takes a connection.
 * @param inherited a service manager has opened the sockets: they cannot be opened again once all processes are gone
 * @throws ProcessStartError when one of them ends before all take mail; StoreError
 */
export async function startProcesses(config: Config, log: Log, count: number, inherited = false): Promise<Processes> {
  const parts = new Parts();
  try {
    parts.add(await holdStore(config, log, count), (h) => h.release());
    // Before there are several that would make one each.
    await openCopyMark(config.data);
    // They take connections from the sockets themselves. Handed over one by one, those on their way to a process that has
    // just died would be left hanging: neither refused nor served.
    cluster.schedulingPolicy = cluster.SCHED_NONE;
    const slots = Array.from({ length: count }, (_, i) => new Slot(i + 1, count, log));
    const http = parts.add(
      await serveBeforeWorkers(config.http.listen, processPages(config.data, slots), config.data, log),
      (h) => h.close(),
    );
    parts.add(slots, async () => {
      const patience = 2 * config.smtp.timeouts.stop + STOP_MARGIN;
      await Promise.all(slots.map(async (slot) => await slot.close(patience)));
    });
    // Together: the first to fail is the reason, and the others are stopped.
    const facts = await Promise.all(slots.map(async (slot) => await slot.start()));
    const [first] = facts;
    if (first === undefined) throw new ProcessStartError('there is no process to start');
    const broken = new Promise<string>((resolve) => {
      if (!inherited) return;
      cluster.on('exit', () => {
        if (slots.every(({ up }) => !up)) resolve('all processes have died, and with them the sockets');
      });
    });
    return {
      facts: first,
      pages: http.addresses,
      broken,
      reload: () => {
        log.debug('the processes are to load the settings anew');
        for (const slot of slots) slot.tell('reload');
      },
      close: async () => await parts.close(),
    };
  } catch (error) {
    await parts.close();
    throw error;
  }
}

/** A place for a process, with the one that is in it. */
class Slot implements ProcessState {
  readonly number: number;
  readonly #of: number;
  readonly #log: Log;
  readonly #stop = new AbortController();
  #worker: Worker | undefined;
  #ended: Promise<void> = Promise.resolve();
  #keeping: Promise<void> | undefined;
  #restarts = 0;

  constructor(number: number, of: number, log: Log) {
    this.number = number;
    this.#of = of;
    this.#log = log;
  }

  get up(): boolean {
    return this.#worker !== undefined;
  }

  get restarts(): number {
    return this.#restarts;
  }

  /** Resolves when it takes mail; from then on it is kept running. A start that is killed is tried again. */
  async start(): Promise<ReadyFacts> {
    return await new Promise((resolve, reject) => {
      this.#keeping = this.#keep(resolve, reject);
    });
  }

  tell(order: Order): void {
    if (this.#worker?.isConnected() === true) this.#worker.send({ order });
  }

  async close(patience: number): Promise<void> {
    this.#stop.abort();
    this.tell('stop');
    const late = setTimeout(() => {
      this.#log.error({ process: this.number }, 'a process does not stop: it is ended');
      this.#worker?.process.kill('SIGKILL');
    }, patience);
    await this.#ended;
    await this.#keeping;
    clearTimeout(late);
  }

  async #keep(onReady: (facts: ReadyFacts) => void, onFailure: (error: Error) => void): Promise<void> {
    let pause = PAUSE.first;
    let died: string | undefined;
    const seen = { ready: false };
    for (;;) {
      const since = performance.now();
      const how = await this.#run(died, (facts) => {
        seen.ready = true;
        onReady(facts);
      });
      if (this.#stopping()) {
        onFailure(new ProcessStartError('it was stopped while it started'));
        return;
      }
      if (!seen.ready && !how.killed) {
        onFailure(new ProcessStartError(`process ${this.number} of the gateway did not start (${how.text})`));
        return;
      }
      if (performance.now() - since > PAUSE.last) pause = PAUSE.first;
      this.#log.warn(
        { process: this.number, pid: how.pid, how: how.text, pause },
        'a process has ended: it is started again',
      );
      died = how.good ? undefined : how.text;
      await sleep(pause, undefined, { signal: this.#stop.signal }).catch(() => undefined);
      pause = Math.min(pause * 2, PAUSE.last);
      if (this.#stopping()) return;
      this.#restarts += 1;
    }
  }

  /** Runs one process to its end. */
  async #run(died: string | undefined, onReady: (facts: ReadyFacts) => void): Promise<Ending> {
    const worker = cluster.fork({
      [PLACE.number]: this.number,
      [PLACE.of]: this.#of,
      [PLACE.again]: this.#restarts > 0 ? 'yes' : 'no',
      ...(died === undefined ? {} : { [PLACE.died]: died }),
    });
    this.#worker = worker;
    // From when it takes mail: what a start does may take its time.
    let watch: SilenceWatch | undefined;
    let hung = false;
    const onHung = (): void => {
      hung = true;
      this.#log.error({ process: this.number }, 'a process hangs: it is ended');
      worker.process.kill('SIGKILL');
    };
    worker.on('message', (message) => {
      watch?.heard();
      // As each process it takes the lines that it writes from then on.
      this.#log.level = readInForce(message) ?? this.#log.level;
      const facts = readReady(message);
      if (facts === undefined) return;
      watch ??= watchSilence(() => this.tell('answer'), onHung);
      onReady(facts);
    });
    const ending = new Promise<Ending>((resolve) => {
      const pid = worker.process.pid ?? 0;
      const ended = (text: string, killed: boolean, good: boolean): void => {
        watch?.stop();
        this.#worker = undefined;
        resolve({ pid, text, killed, good });
      };
      worker.on('error', (error) => {
        // One that runs has only missed an order: it ends when this process does.
        if (worker.process.pid === undefined) ended(error.message, false, false);
        else this.#log.warn({ process: this.number, reason: error.message }, 'a process cannot be told anything');
      });
      worker.once('exit', (code: number | null, signal: string | null) =>
        ended(hung ? 'it did not answer' : (signal ?? `status ${code ?? 0}`), signal !== null, code === 0),
      );
    });
    this.#ended = ending.then(() => undefined);
    return await ending;
  }

  #stopping(): boolean {
    return this.#stop.signal.aborted;
  }
}

interface Ending {
  readonly pid: number;
  /** `SIGKILL`, `status 1`. */
  readonly text: string;
  readonly killed: boolean;
  readonly good: boolean;
}
