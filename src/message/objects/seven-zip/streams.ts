import type { HeaderReader } from './reader.js';

/** Property identifiers of 7zFormat.txt. */
const END = 0x00;
const PACK_INFO = 0x06;
const UNPACK_INFO = 0x07;
const SUB_STREAMS = 0x08;
const SIZE = 0x09;
const CRC = 0x0a;
const FOLDER = 0x0b;
const UNPACK_SIZE = 0x0c;
const COUNT = 0x0d;
const MAX_FOLDERS = 200_000;
const MAX_STREAMS = 1_000_000;
const MAX_CODERS = 32;

export interface Coder {
  /** Identifier in hexadecimal digits. */
  readonly id: string;
  readonly properties: Buffer;
}

/** What is packed together, and how. */
export interface PackedFolder {
  readonly coders: readonly Coder[];
  readonly outputs: number;
  readonly size: number;
  /** A checksum of all of it is there. */
  readonly summed: boolean;
}

export interface Streams {
  readonly packPosition: number;
  readonly packSizes: readonly number[];
  readonly folders: readonly PackedFolder[];
  /** For each folder the sizes of the files in it. */
  readonly sizes: readonly (readonly number[])[];
}

/** Reads the part of a header that says what is packed where; undefined when it is damaged. */
export function readStreams(reader: HeaderReader): Streams | undefined {
  let packPosition = 0;
  let packSizes: readonly number[] = [];
  let folders: readonly PackedFolder[] = [];
  let sizes: readonly (readonly number[])[] | undefined;
  for (let id = reader.byte(); id !== END; id = reader.byte()) {
    if (reader.failed()) return undefined;
    if (id === PACK_INFO) {
      packPosition = reader.number();
      packSizes = readPackSizes(reader);
    } else if (id === UNPACK_INFO) folders = readFolders(reader);
    else if (id === SUB_STREAMS) sizes = readSubStreams(reader, folders);
    else return undefined;
  }
  if (reader.failed()) return undefined;
  return { packPosition, packSizes, folders, sizes: sizes ?? folders.map(({ size }) => [size]) };
}

function readPackSizes(reader: HeaderReader): readonly number[] {
  const count = reader.number();
  const sizes: number[] = [];
  for (let id = reader.byte(); id !== END && !reader.failed(); id = reader.byte()) {
    if (id === SIZE) for (let at = 0; at < count && !reader.failed(); at += 1) sizes.push(reader.number());
    else if (id === CRC) readSums(reader, count);
    else reader.fail();
  }
  return sizes;
}

/** Passes over checksums; tells for which of the streams there are any. */
function readSums(reader: HeaderReader, count: number): readonly boolean[] {
  if (count > MAX_STREAMS) {
    return reader.fail();
  }
  const defined = reader.optionalBits(count);
  reader.take(4 * defined.filter(Boolean).length);
  return defined;
}

function readFolders(reader: HeaderReader): readonly PackedFolder[] {
  if (reader.byte() !== FOLDER) return reader.fail();
  const count = reader.number();
  // The list may stand elsewhere; no program writes that.
  if (reader.byte() !== 0 || count > MAX_FOLDERS) return reader.fail();
  const heads: { readonly coders: readonly Coder[]; readonly outputs: number }[] = [];
  for (let at = 0; at < count && !reader.failed(); at += 1) heads.push(readFolder(reader));
  if (reader.byte() !== UNPACK_SIZE) return reader.fail();
  const sizes = heads.map(({ outputs }) => {
    const all = Array.from({ length: reader.failed() ? 0 : outputs }, () => reader.number());
    return all.at(-1) ?? 0;
  });
  let sums: readonly boolean[] = [];
  for (let id = reader.byte(); id !== END && !reader.failed(); id = reader.byte()) {
    if (id === CRC) sums = readSums(reader, count);
    else return reader.fail();
  }
  return heads.map((head, at) => ({ ...head, size: sizes[at] ?? 0, summed: sums[at] === true }));
}

function readFolder(reader: HeaderReader): { readonly coders: readonly Coder[]; readonly outputs: number } {
  const coders: Coder[] = [];
  let inputs = 0;
  let outputs = 0;
  const count = reader.number();
  for (let at = 0; at < Math.min(count, MAX_CODERS) && !reader.failed(); at += 1) {
    const flags = reader.byte();
    const id = reader.take(flags & 0x0f).toString('hex');
    const complex = (flags & 0x10) !== 0;
    const own = complex ? reader.number() : 1;
    inputs += own;
    outputs += complex ? reader.number() : 1;
    coders.push({ id, properties: (flags & 0x20) === 0 ? Buffer.alloc(0) : reader.take(reader.number()) });
  }
  if (count > MAX_CODERS || inputs > MAX_CODERS * 4 || outputs > MAX_CODERS * 4) reader.fail();
  if (reader.failed()) return { coders, outputs: 0 };
  for (let pairs = Math.max(0, outputs - 1); pairs > 0; pairs -= 1) {
    reader.number();
    reader.number();
  }
  const packed = inputs - Math.max(0, outputs - 1);
  for (let left = packed > 1 ? packed : 0; left > 0; left -= 1) reader.number();
  return { coders, outputs };
}

function readSubStreams(reader: HeaderReader, folders: readonly PackedFolder[]): readonly (readonly number[])[] {
  let counts = folders.map(() => 1);
  let id = reader.byte();
  if (id === COUNT) {
    counts = folders.map(() => reader.number());
    id = reader.byte();
  }
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total > MAX_STREAMS || reader.failed()) {
    return reader.fail();
  }
  const listed = id === SIZE;
  const sizes = folders.map(({ size }, index) => {
    const own: number[] = [];
    let left = size;
    for (let at = 1; at < (counts[index] ?? 0) && !reader.failed(); at += 1) {
      const one = listed ? reader.number() : 0;
      own.push(one);
      left -= one;
    }
    if ((counts[index] ?? 0) > 0) own.push(Math.max(0, left));
    return own;
  });
  if (listed) id = reader.byte();
  while (id !== END && !reader.failed()) {
    if (id !== CRC) {
      reader.fail();
      break;
    }
    // Folders with one file and a sum of their own do not repeat it.
    const own = folders.map(({ summed }, at) => (summed && counts[at] === 1 ? 0 : (counts[at] ?? 0)));
    readSums(
      reader,
      own.reduce((sum, count) => sum + count, 0),
    );
    id = reader.byte();
  }
  return sizes;
}
