import { constants, crc32, inflateRawSync, inflateSync } from 'node:zlib';
import type { Unpacked } from './entry.js';

/** Flags of a gzip member (RFC 1952 2.3.1). */
const GZIP_HEADER_CRC = 0x02;
const GZIP_EXTRA = 0x04;
const GZIP_NAME = 0x08;
const GZIP_COMMENT = 0x10;

const MIN_CHUNK = 1024;
const MAX_CHUNK = 1024 * 1024;
/** Members of a gzip file: programs that write many make each of 64 KiB. */
const MAX_MEMBERS = 20_000;

/**
 * Raw deflate within a bound.
 * @param expected unpacked size, if known: saves copying
 */
export function inflate(packed: Buffer, max: number, expected: number): Unpacked {
  const result = run(inflateRawSync, packed, max, expected);
  // Readers that go by the stream do not see what stands behind it, others do.
  return result.kind === 'ok' && result.used < packed.length
    ? { kind: 'damaged', bytes: result.bytes, detail: 'it has data behind its end' }
    : result;
}

/** A zlib stream within a bound (RFC 1950); what stands behind it is left alone. */
export function unzlib(packed: Buffer, max: number): Unpacked {
  return run(inflateSync, packed, max, packed.length * 4);
}

/** All members of a gzip file within a bound (RFC 1952). What is no member ends it, as for all unpackers. */
export function gunzip(packed: Buffer, max: number): Unpacked {
  const pieces: Buffer[] = [];
  let length = 0;
  let at = 0;
  for (let member = 0; ; member += 1) {
    const data = gzipData(packed, at);
    if (data === undefined) break;
    if (member >= MAX_MEMBERS) return { kind: 'over' };
    const expected = member === 0 ? (packed.length - data) * 4 : 0;
    const result = run(inflateRawSync, packed.subarray(data), max - length, expected);
    if (result.kind === 'over') return result;
    if (result.bytes !== undefined) pieces.push(result.bytes);
    length += result.bytes?.length ?? 0;
    if (result.kind === 'damaged') {
      const { detail, work } = result;
      return { kind: 'damaged', bytes: joined(pieces), detail, ...(work === undefined ? {} : { work }) };
    }
    at = data + result.used + 8;
    if (at > packed.length) return { kind: 'damaged', bytes: joined(pieces), detail: 'it is cut short' };
    if (crc32(result.bytes) !== packed.readUInt32LE(at - 8)) {
      return { kind: 'damaged', bytes: joined(pieces), detail: 'its checksum is wrong' };
    }
  }
  return pieces.length === 0
    ? { kind: 'damaged', detail: 'its header is damaged' }
    : { kind: 'ok', bytes: joined(pieces) };
}

function joined(pieces: readonly Buffer[]): Buffer {
  const [first] = pieces;
  return pieces.length === 1 && first !== undefined ? first : Buffer.concat(pieces);
}

/** Where the packed bytes of a gzip member start; undefined when none starts there. */
function gzipData(packed: Buffer, start: number): number | undefined {
  if (start + 18 > packed.length || packed.readUInt16BE(start) !== 0x1f8b || packed[start + 2] !== 8) return undefined;
  const flags = packed[start + 3] ?? 0;
  let at = start + 10;
  if ((flags & GZIP_EXTRA) !== 0) at += 2 + packed.readUInt16LE(at);
  for (const flag of [GZIP_NAME, GZIP_COMMENT]) {
    if ((flags & flag) === 0) continue;
    const end = packed.indexOf(0, at);
    if (end < 0) return undefined;
    at = end + 1;
  }
  if ((flags & GZIP_HEADER_CRC) !== 0) at += 2;
  return at < packed.length ? at : undefined;
}

type Inflated =
  Exclude<Unpacked, { readonly kind: 'ok' }> | { readonly kind: 'ok'; readonly bytes: Buffer; readonly used: number };

function run(unpack: typeof inflateRawSync, packed: Buffer, max: number, expected: number): Inflated {
  if (packed.length === 0) return { kind: 'damaged', detail: 'it has no data' };
  // One byte over: a chunk that is exactly filled makes zlib ask for another one.
  const chunkSize = Math.min(MAX_CHUNK, Math.max(MIN_CHUNK, expected + 1));
  const options = { maxOutputLength: Math.max(1, max), chunkSize };
  try {
    return { kind: 'ok', ...withUsed(unpack, packed, options) };
  } catch (error) {
    if (isOver(error)) return { kind: 'over' };
    const detail = `it is damaged (${zlibCode(error)})`;
    const bytes = salvage(unpack, packed, options);
    return bytes === undefined ? { kind: 'damaged', detail, work: max } : { kind: 'damaged', bytes, detail };
  }
}

/** The bytes, and how many of the packed ones they were made of. */
function withUsed(
  unpack: typeof inflateRawSync,
  packed: Buffer,
  options: { readonly maxOutputLength: number; readonly chunkSize: number },
): { readonly bytes: Buffer; readonly used: number } {
  const result: unknown = unpack(packed, { info: true, ...options });
  if (typeof result === 'object' && result !== null && 'buffer' in result && 'engine' in result) {
    const { buffer, engine } = result;
    const used = typeof engine === 'object' && engine !== null && 'bytesWritten' in engine ? engine.bytesWritten : 0;
    if (Buffer.isBuffer(buffer) && typeof used === 'number') return { bytes: buffer, used };
  }
  throw new TypeError('zlib gave no info');
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
