import { DetectorError } from '../failure.js';
import type { DatabaseInfo } from '../types.js';
import type { ClamdAddress } from './address.js';
import { LostError, UnreachableError } from './connection.js';
import { ClamdPool } from './pool.js';
import { parseScanReply, parseVersion, type ScanReply } from './reply.js';

/** ms for which a clamd that failed is asked last. */
const AVOID = 10_000;
/** Bytes from which on an engine may hang up before it has read all. */
const HANGS_UP = 64 * 1024;

interface Member {
  readonly pool: ClamdPool;
  /** On the clock of `performance.now()`. */
  avoidUntil: number;
}

/** One or several clamd: the first that works, in the order of the configuration. */
export class ClamdEngine {
  private readonly members: readonly Member[];

  /** @param connections to each of them */
  constructor(addresses: readonly ClamdAddress[], connections: number) {
    this.members = addresses.map((address) => ({ pool: new ClamdPool(address, connections), avoidUntil: 0 }));
  }

  /** @throws DetectorError when none can be asked, or the answer is no verdict */
  async scan(stream: readonly Uint8Array[], signal: AbortSignal): Promise<ScanReply> {
    const ask = async (): Promise<string> =>
      await this.first(async ({ pool }) => await pool.scan(stream, signal), signal);
    try {
      return parseScanReply(await ask());
    } catch (error) {
      // clamd hangs up in the midst of a stream that is too long, and the reset may overtake its words: once more.
      if (!(error instanceof LostError) || signal.aborted || sizeOf(stream) < HANGS_UP) throw error;
      return parseScanReply(await ask());
    }
  }

  /** @throws DetectorError when none of them answers */
  async ping(signal: AbortSignal): Promise<void> {
    const reply = await this.first(async ({ pool }) => await pool.ask('zPING', signal), signal);
    if (reply !== 'PONG') throw new DetectorError('the engine answered something that is no PONG');
  }

  /** @throws DetectorError */
  async version(signal: AbortSignal): Promise<DatabaseInfo | undefined> {
    return parseVersion(await this.first(async ({ pool }) => await pool.ask('zVERSION', signal), signal));
  }

  close(): void {
    for (const { pool } of this.members) pool.close();
  }

  /** The answer of the first that gives one. One that was silent until the end is asked last by the next. */
  private async first(ask: (member: Member) => Promise<string>, signal: AbortSignal): Promise<string> {
    const now = performance.now();
    const order = this.members.toSorted((a, b) => Number(a.avoidUntil > now) - Number(b.avoidUntil > now));
    let failure: unknown = new DetectorError('there is no engine');
    for (const member of order) {
      try {
        const reply = await ask(member);
        member.avoidUntil = 0;
        return reply;
      } catch (error) {
        failure = error;
        const failed = error instanceof UnreachableError || error instanceof LostError;
        if (failed || signal.aborted) member.avoidUntil = performance.now() + AVOID;
        if (!failed || signal.aborted) throw error;
      }
    }
    throw failure;
  }
}

function sizeOf(stream: readonly Uint8Array[]): number {
  return stream.reduce((sum, { length }) => sum + length, 0);
}
