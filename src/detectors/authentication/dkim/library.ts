import { Readable } from 'node:stream';
import type { arc, dkimVerify } from 'mailauth';
import { DnsFailure, type Dns } from '../dns.js';
import type { ArcOutcome } from '../types.js';

/** What is used of mailauth; loaded only where the module is configured. */
export interface Library {
  readonly dkimVerify: typeof dkimVerify;
  readonly arc: typeof arc;
}

/** RFC 8301 3.2. */
const MIN_KEY = 1024;

export interface LibraryResults {
  readonly arc: ArcOutcome;
}

/**
 * Lets mailauth verify the ARC chain of a message.
 * @param now ms since the epoch
 * @throws what mailauth throws at a message that it cannot read
 */
export async function verifyWith(
  library: Library,
  pieces: readonly Buffer[],
  dns: Dns,
  now: number,
): Promise<LibraryResults> {
  const failures = { count: 0 };
  const resolver = async (name: string): Promise<string[][]> => {
    let texts: readonly string[];
    try {
      texts = await dns.txt(name);
    } catch (error) {
      if (!(error instanceof DnsFailure)) throw error;
      failures.count += 1;
      throw Object.assign(new Error('no answer'), { code: 'ETIMEOUT' });
    }
    if (texts.length === 0) throw Object.assign(new Error('no record'), { code: 'ENODATA' });
    return texts.map((text) => [text]);
  };
  // A sender is given, or mailauth would look for Return-Path.
  const options = { resolver, minBitLength: MIN_KEY, sender: 'unknown@invalid', curTime: new Date(now) };
  const result = await library.dkimVerify(Readable.from(pieces, { objectMode: false }), options);
  failures.count = 0;
  const arc = await verifyChain(library, result.arc, resolver);
  return {
    arc:
      arc.result === 'fail' && failures.count > 0
        ? { ...arc, result: 'temperror', reason: 'the look-up of a key failed' }
        : arc,
  };
}

async function verifyChain(
  library: Library,
  data: Awaited<ReturnType<Library['dkimVerify']>>['arc'],
  resolver: (name: string) => Promise<string[][]>,
): Promise<ArcOutcome> {
  if (data === undefined) return { result: 'none', instances: 0, reason: '' };
  const { chain, lastEntry, error } = data;
  const sets = chain === false ? [] : chain;
  const given = {
    chain: sets,
    ...(lastEntry === undefined ? {} : { lastEntry }),
    ...(error === undefined ? {} : { error }),
  };
  const { status } = await library.arc(given, { resolver, minBitLength: MIN_KEY });
  if (status.result === 'none') return { result: 'none', instances: 0, reason: '' };
  if (status.result === 'pass') return { result: 'pass', instances: sets.length, reason: '' };
  return { result: 'fail', instances: sets.length, reason: 'the chain of seals does not verify' };
}
