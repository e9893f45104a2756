import { statfs } from 'node:fs/promises';
import { codeOf } from '../store/errors.js';
import type { Log } from '../telemetry/log.js';
import { isOwnLack } from './own-lack.js';
import type { SpoolState } from './types.js';

export interface SpoolLimits {
  /** Bytes of all messages. */
  readonly maxSize: number;
  readonly maxItems: number;
  /** Bytes that stay free on the disk. */
  readonly minFreeDisk: number;
}

/** How often the disk is asked, ms. */
const POLL = 2000;

/** Counts what lies in the spool, and watches the free space of its disk. */
export class SpoolRoom {
  readonly #folder: string;
  readonly #limits: SpoolLimits;
  readonly #log: Log;
  #items = 0;
  #bytes = 0;
  #free = Infinity;
  #timer: NodeJS.Timeout | undefined;

  constructor(folder: string, limits: SpoolLimits, log: Log) {
    this.#folder = folder;
    this.#limits = limits;
    this.#log = log;
  }

  /** Asks the disk now and from then on every two seconds. */
  async watch(): Promise<void> {
    await this.#ask();
    this.#timer = setInterval(() => void this.#ask(), POLL);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Whether there is room for a message of that size. */
  has(size = 0): boolean {
    return this.#items < this.#limits.maxItems && this.#bytes + size <= this.#limits.maxSize && this.diskOk(size);
  }

  get state(): Omit<SpoolState, 'oldest'> {
    const freeDisk = Number.isFinite(this.#free) ? { freeDisk: this.#free } : {};
    return { items: this.#items, bytes: this.#bytes, ...freeDisk, ...this.#limits };
  }

  diskOk(size = 0): boolean {
    return this.#free - size > this.#limits.minFreeDisk;
  }

  take(size: number): void {
    this.#items += 1;
    this.#bytes += size;
  }

  release(size: number): void {
    this.#items -= 1;
    this.#bytes -= size;
  }

  async #ask(): Promise<void> {
    try {
      const { bavail, bsize } = await statfs(this.#folder);
      this.#free = bavail * bsize;
    } catch (error) {
      this.#log.warn({ err: error }, 'the free space of the spool cannot be read');
    }
  }
}

/** Whether a write failed for want of space, or of means that it takes: later it may go well. */
export function isNoRoom(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT'].includes(codeOf(error) ?? '') || isOwnLack(error);
}
