import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../store/errors.js';
import type { Log } from '../telemetry/log.js';
import { isDamage, loadItemNow } from './spool-folder.js';
import type { SpoolIndex } from './spool-index.js';

export interface SpoolReadingOptions {
  readonly folder: string;
  readonly index: SpoolIndex;
  readonly log: Log;
  readonly setAside: (key: string, reason: string) => Promise<void>;
}

/** A start waits so long for the items to be read, ms; the rest of a large spool is read while mail flows. */
const BEFORE_READY = 2000;
/** The loop is held up for so long at a time, and then left alone for as long, ms. */
const SLICE = 4;

/** Reads the items that lie in a spool at the start: when each is due, and where it goes. */
export class SpoolReading {
  readonly #options: SpoolReadingOptions;
  #stopped = false;
  #running: Promise<void> = Promise.resolve();

  constructor(options: SpoolReadingOptions) {
    this.#options = options;
  }

  /** Resolves when all is read that can be. Never rejects. */
  get done(): Promise<void> {
    return this.#running;
  }

  /** Begins, and resolves when it is done or goes on by itself. */
  async start(): Promise<void> {
    this.#running = this.#read();
    const patience = new AbortController();
    const late = sleep(BEFORE_READY, true, { signal: patience.signal }).catch(() => false);
    const goesOn = await Promise.race([this.#running, late]);
    patience.abort();
    if (goesOn !== true) return;
    const { index, log } = this.#options;
    log.info({ items: index.size }, 'the rest of the spool is read while mail flows');
    void this.#running.then(() => {
      if (!this.#stopped) log.info({ items: index.size }, 'the spool has been read');
    });
  }

  /** Reads what could not be read before. */
  async again(): Promise<void> {
    await this.#running;
    if (this.#stopped) return;
    this.#running = this.#read();
    await this.#running;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #read(): Promise<void> {
    const { index, log } = this.#options;
    const keys: string[] = [];
    for (const { key, facts } of index.values()) if (facts === undefined) keys.push(key);
    const ready = performance.now() + BEFORE_READY;
    let until = performance.now() + SLICE;
    let unreadable = 0;
    let reason = '';
    for (const key of keys) {
      if (this.#stopped) return;
      const entry = index.get(key);
      // Settled or tried meanwhile.
      if (entry === undefined || entry.facts !== undefined) continue;
      try {
        index.set(loadItemNow(this.#options.folder, key, entry.size));
      } catch (error) {
        if (isDamage(error)) await this.#options.setAside(key, messageOf(error));
        else {
          unreadable += 1;
          reason = messageOf(error);
        }
      }
      if (performance.now() < until) continue;
      await sleep(performance.now() < ready ? 0 : SLICE);
      until = performance.now() + SLICE;
    }
    if (unreadable > 0) log.error({ items: unreadable, reason }, 'items of the spool cannot be read');
  }
}
