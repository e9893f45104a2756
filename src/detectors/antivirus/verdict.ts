import { DetectorError } from '../failure.js';
import type { ClamdEngine } from './engine.js';
import { statusOf, type ThreatStatus } from './reply.js';

/** What the engine says about some bytes. */
export interface Verdict {
  readonly status: 'clean' | ThreatStatus;
  /** Name of the threat. */
  readonly name?: string;
  /** Of a `limit`, for people. */
  readonly detail?: string;
}

/** Asks the engine about bytes, within a bound. */
export class Scanner {
  private readonly engine: ClamdEngine;
  private readonly maxSize: number;

  constructor(engine: ClamdEngine, maxSize: number) {
    this.engine = engine;
    this.maxSize = maxSize;
  }

  /** @throws DetectorError when there is no verdict */
  async scan(pieces: readonly Uint8Array[], signal: AbortSignal): Promise<Verdict> {
    const size = pieces.reduce((sum, piece) => sum + piece.length, 0);
    if (size > this.maxSize) return { status: 'limit', detail: 'larger than the antivirus may be given' };
    const reply = await this.engine.scan(pieces, signal);
    switch (reply.kind) {
      case 'clean':
        return { status: 'clean' };
      case 'limit':
        return { status: 'limit', detail: 'larger than the engine takes' };
      case 'failed':
        throw new DetectorError('the engine could not scan it', { cause: new Error(reply.reason) });
      case 'found': {
        const status = statusOf(reply.threat);
        if (status === 'limit') return { status, detail: 'the engine gave up at one of its bounds' };
        return { status, name: reply.threat };
      }
    }
  }
}

/** Something was found that rules are asked about. */
export function isHit({ status }: Verdict): boolean {
  return status === 'infected' || status === 'encrypted' || status === 'macro';
}
