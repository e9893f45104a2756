import { crc32 } from 'node:zlib';
import type { Unpacked } from '../entry.js';
import { unpackLzma2 } from './lzma2.js';
import { Window } from './window.js';

const MAGIC = Buffer.from('\xfd7zXZ\0', 'latin1');
const STREAM_HEADER = 12;
const FILTER_LZMA2 = 0x21;
/** Bytes of the checks by their number (XZ file format 2.1.1.2). */
const CHECK_SIZES = [0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64] as const;
const CHECK_CRC32 = 1;

/** Unpacks an .xz file: all its streams and blocks (XZ file format 1.2.1). */
export function unpackXz(packed: Buffer, max: number): Unpacked {
  const window = new Window(max, packed.length * 4);
  let at = 0;
  while (packed.subarray(at, at + MAGIC.length).equals(MAGIC)) {
    const stream = readStream(packed, at, window);
    if (stream.end === 'over') return { kind: 'over' };
    if (stream.end === 'bad') return { kind: 'damaged', bytes: window.result(), detail: stream.detail };
    at = stream.next;
    while (at < packed.length && packed[at] === 0) at += 1;
  }
  return { kind: 'ok', bytes: window.result() };
}

type Step =
  | { readonly end: 'ok'; readonly next: number }
  | { readonly end: 'over' }
  | { readonly end: 'bad'; readonly detail: string };

function bad(detail = 'it is damaged (xz)'): Step {
  return { end: 'bad', detail };
}

function readStream(packed: Buffer, start: number, window: Window): Step {
  let at = start + STREAM_HEADER;
  const check = (packed[start + 7] ?? 0) & 0x0f;
  for (;;) {
    const size = packed[at];
    if (size === undefined) return bad('it is cut short');
    // The index starts where a block would tell its size.
    if (size === 0) return skipIndex(packed, at);
    const block = readBlock(packed, at, (size + 1) * 4, check, window);
    if (block.end !== 'ok') return block;
    at = block.next;
  }
}

function readBlock(packed: Buffer, start: number, headerSize: number, check: number, window: Window): Step {
  const data = start + headerSize;
  if (data > packed.length) return bad('it is cut short');
  const flags = packed[start + 1] ?? 0;
  const numbers = new Numbers(packed, start + 2, data - 4);
  if ((flags & 0x40) !== 0) numbers.next();
  if ((flags & 0x80) !== 0) numbers.next();
  const filter = numbers.next();
  if ((flags & 0x03) !== 0 || filter !== FILTER_LZMA2) return bad('unscannable: xz with a filter');
  const before = window.length;
  const result = unpackLzma2(packed, data, window);
  if (result.end === 'over') return { end: 'over' };
  if (result.end === 'bad') return bad();
  const end = result.next + ((4 - ((result.next - start) % 4)) % 4);
  const next = end + (CHECK_SIZES[check] ?? 0);
  if (next > packed.length) return bad('it is cut short');
  if (check === CHECK_CRC32 && crc32(window.bytes.subarray(before, window.length)) !== packed.readUInt32LE(end)) {
    return bad('its checksum is wrong');
  }
  return { end: 'ok', next };
}

/** The index and the footer behind it: 4. and 2.1.2. */
function skipIndex(packed: Buffer, start: number): Step {
  const numbers = new Numbers(packed, start + 1, packed.length);
  for (let left = (numbers.next() ?? 0) * 2; left > 0; left -= 1) {
    if (numbers.next() === undefined) return bad('it is cut short');
  }
  const size = numbers.at - start;
  const next = start + size + ((4 - (size % 4)) % 4) + 4 + STREAM_HEADER;
  return next > packed.length ? bad('it is cut short') : { end: 'ok', next };
}

/** Numbers of seven bits a byte, the lowest first (1.2). */
class Numbers {
  at: number;
  readonly #bytes: Buffer;
  readonly #end: number;

  constructor(bytes: Buffer, at: number, end: number) {
    this.#bytes = bytes;
    this.at = at;
    this.#end = end;
  }

  next(): number | undefined {
    let value = 0;
    for (let index = 0; index < 9 && this.at < this.#end; index += 1) {
      const byte = this.#bytes[this.at] ?? 0;
      this.at += 1;
      value += (byte & 0x7f) * 2 ** (7 * index);
      if ((byte & 0x80) === 0) return value;
    }
    return undefined;
  }
}
