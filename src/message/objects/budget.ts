import type { ScanLimits } from '../types.js';
import type { Unpacked } from './entry.js';

/** Decoded bytes that one message may keep in memory; what is over is decoded again when asked for. */
const KEEP_BYTES = 64 * 1024 * 1024;
/** An entry may always unpack to this much, */
const FREE_RATIO_BYTES = 16 * 1024 * 1024;
/** and beyond it to so many times its packed size. Deflate ends at 1032; real logs and images stay below 200. */
const MAX_RATIO = 250;

/** Why something was not unpacked. The texts go into findings. */
export type Refusal = 'ratio' | 'unpacked';

/** The bounds on archives, counted over the whole message. */
export class Budget {
  readonly maxDepth: number;
  readonly maxEntries: number;
  readonly maxUnpacked: number;
  #entries = 0;
  #unpacked = 0;
  #kept = 0;

  constructor(limits: ScanLimits) {
    this.maxDepth = limits.maxDepth;
    this.maxEntries = limits.maxArchiveEntries;
    this.maxUnpacked = limits.maxUnpacked;
  }

  /** Counts an archive entry; false when it is one too many. */
  takeEntry(): boolean {
    if (this.#entries >= this.maxEntries) return false;
    this.#entries += 1;
    return true;
  }

  get entriesLeft(): number {
    return this.maxEntries - this.#entries;
  }

  /** The bytes that so many packed bytes may become, and the bound that would be passed beyond. */
  allowance(packed: number): { readonly bytes: number; readonly bound: Refusal } {
    const ratio = Math.max(FREE_RATIO_BYTES, packed * MAX_RATIO);
    const left = Math.max(0, this.maxUnpacked - this.#unpacked);
    return left <= ratio ? { bytes: left, bound: 'unpacked' } : { bytes: ratio, bound: 'ratio' };
  }

  /** Counts unpacked bytes. */
  spend(bytes: number): void {
    this.#unpacked += bytes;
  }

  /**
   * Counts what unpacking has cost, given what was allowed. An attempt that failed counts in full: otherwise many
   * entries that fail late could cost any amount of time.
   */
  charge(result: Unpacked, allowed: number): void {
    if (result.kind === 'over') this.#unpacked += allowed;
    else this.#unpacked += Math.max(result.bytes?.length ?? 0, result.kind === 'damaged' ? (result.work ?? 0) : 0);
  }

  /** Whether decoded bytes may stay in memory; if so, they are counted. */
  keep(bytes: number): boolean {
    if (this.#kept + bytes > KEEP_BYTES) return false;
    this.#kept += bytes;
    return true;
  }

  /** The sentence for people about a bound that was passed. */
  explain(bound: Refusal | 'entries' | 'depth'): string {
    switch (bound) {
      case 'ratio':
        return `it unpacks to more than ${MAX_RATIO} times its size`;
      case 'unpacked':
        return `it unpacks to more than ${this.maxUnpacked} bytes in all`;
      case 'entries':
        return `the message has more than ${this.maxEntries} archive entries`;
      case 'depth':
        return `it is nested more than ${this.maxDepth} levels deep`;
    }
  }
}
