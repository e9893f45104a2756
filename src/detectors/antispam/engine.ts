import type { DetectorInput } from '../types.js';

/** One rule of an engine that held. */
export interface EngineSymbol {
  readonly name: string;
  /** Points that it gave; absent when the engine does not say. */
  readonly score?: number;
  /** What the engine says it saw, where that is the name of a host; never content of a body. */
  readonly host?: string;
}

/** What an engine says of a message. Texts are the engine's: they are bounded, not trusted. */
export interface Verdict {
  readonly score: number;
  /** Score from which on the engine itself would act. */
  readonly required?: number;
  /** What it would do, in its own words. */
  readonly action?: string;
  readonly symbols: readonly EngineSymbol[];
  /** Anything else that the admin may want to know: suggested subject and header fields, what was left out. */
  readonly notes: readonly string[];
}

/** Something that gives messages a spam score. */
export interface Engine {
  readonly name: string;
  /** @throws DetectorError when there is no verdict; rejects when the signal is aborted */
  judge(input: DetectorInput): Promise<Verdict>;
  health?(signal: AbortSignal): Promise<void>;
  close?(): Promise<void>;
}

/** The engine does not look at messages of that size: a `limit`, not an `error`. */
export class TooLarge extends Error {
  override readonly name = 'TooLarge';
}
