import type { Log } from '../telemetry/log.js';
import { rateKey } from './client-rate.js';

/** Lines of one kind in a window: of one client, and of all. A busy gateway stays below, a disk cannot be filled. */
const PER_CLIENT = 600;
const PER_KIND = 3000;
/** Recipients that are named in one line. */
export const MAX_NAMED = 20;
/** ms */
const WINDOW = 60_000;

interface Kind {
  written: number;
  leftOut: number;
  readonly clients: Map<string, number>;
}

/** What is said in a line; `client`: whose doing it is. */
type Facts = Readonly<Record<string, unknown>> & { readonly client?: string };

/**
 * What strangers have the log say: at most 600 lines a minute of one kind for each client, and 3,000 for all. What was
 * left out is counted, and told in one line a minute.
 */
export class StrangerLog {
  readonly #log: Log;
  readonly #now: () => number;
  readonly #kinds = new Map<string, Kind>();
  #began: number;
  #timer: NodeJS.Timeout | undefined;

  /** @param now ms of a clock that never goes back */
  constructor(log: Log, now: () => number = () => performance.now()) {
    this.#log = log;
    this.#now = now;
    this.#began = now();
  }

  /** @param kind the text of the line, one of few */
  info(facts: Facts, kind: string): void {
    this.#write('info', facts, kind);
  }

  /** As `info`, for what the operator should see to. */
  warn(facts: Facts, kind: string): void {
    this.#write('warn', facts, kind);
  }

  error(facts: Facts, kind: string): void {
    this.#write('error', facts, kind);
  }

  #write(level: 'info' | 'warn' | 'error', facts: Facts, kind: string): void {
    const client = rateKey(facts.client ?? '');
    if (this.#now() - this.#began >= WINDOW) this.flush();
    const found = this.#kinds.get(kind) ?? { written: 0, leftOut: 0, clients: new Map<string, number>() };
    this.#kinds.set(kind, found);
    const ofClient = found.clients.get(client) ?? 0;
    if (found.written >= PER_KIND || ofClient >= PER_CLIENT) {
      found.leftOut += 1;
      this.#timer ??= setTimeout(() => this.flush(), WINDOW).unref();
      return;
    }
    found.written += 1;
    found.clients.set(client, ofClient + 1);
    this.#log[level](facts, kind);
  }

  /** Tells what was left out, and begins a new window. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#began = this.#now();
    for (const [kind, { leftOut }] of this.#kinds)
      if (leftOut > 0) this.#log.warn({ kind, leftOut }, 'lines of the log were left out, as there were too many');
    this.#kinds.clear();
  }
}
