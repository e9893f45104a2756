import { constants, gunzipSync, inflateRawSync, inflateSync } from 'node:zlib';
import type { Unpacked } from './entry.js';

const MIN_CHUNK = 1024;
const MAX_CHUNK = 1024 * 1024;

/**
 * Raw deflate within a bound.
 * @param expected unpacked size, if known: saves copying
 */
export function inflate(packed: Buffer, max: number, expected: number): Unpacked {
  return run(inflateRawSync, packed, max, expected);
}

/** All members of a gzip file within a bound (RFC 1952). */
export function gunzip(packed: Buffer, max: number): Unpacked {
  return run(gunzipSync, packed, max, packed.length * 4);
}

/** A zlib stream within a bound (RFC 1950). */
export function unzlib(packed: Buffer, max: number): Unpacked {
  return run(inflateSync, packed, max, packed.length * 4);
}

function run(unpack: typeof inflateRawSync, packed: Buffer, max: number, expected: number): Unpacked {
  if (packed.length === 0) return { kind: 'damaged', detail: 'it has no data' };
  // One byte over: a chunk that is exactly filled makes zlib ask for another one.
  const chunkSize = Math.min(MAX_CHUNK, Math.max(MIN_CHUNK, expected + 1));
  const options = { maxOutputLength: Math.max(1, max), chunkSize };
  try {
    return { kind: 'ok', bytes: unpack(packed, options) };
  } catch (error) {
    if (isOver(error)) return { kind: 'over' };
    const detail = `it is damaged (${zlibCode(error)})`;
    const bytes = salvage(unpack, packed, options);
    return bytes === undefined ? { kind: 'damaged', detail, work: max } : { kind: 'damaged', bytes, detail };
  }
}

/** What a cut stream yields up to its end. Of one that is wrong in the middle nothing can be had in this way. */
function salvage(
  unpack: typeof inflateRawSync,
  packed: Buffer,
  options: { readonly maxOutputLength: number; readonly chunkSize: number },
): Buffer | undefined {
  try {
    const bytes = unpack(packed, { ...options, finishFlush: constants.Z_SYNC_FLUSH });
    return bytes.length > 0 ? bytes : undefined;
  } catch (error) {
    zlibCode(error);
    return undefined;
  }
}

function isOver(error: unknown): boolean {
  return error instanceof RangeError && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
}

/** The code of an error of zlib; anything else is not ours to handle. */
function zlibCode(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  throw error;
}
