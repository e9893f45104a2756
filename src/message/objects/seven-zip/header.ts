import { crc32, inflateRawSync } from 'node:zlib';
import { unpackStream } from '../unpack/lzma.js';
import { unpackLzma2 } from '../unpack/lzma2.js';
import { Window } from '../unpack/window.js';
import { HeaderReader } from './reader.js';
import { type PackedFolder, readStreams, type Streams } from './streams.js';

const START = 32;
const HEADER = 0x01;
const PROPERTIES = 0x02;
const ADDITIONAL = 0x03;
const MAIN_STREAMS = 0x04;
const FILES = 0x05;
const ENCODED = 0x17;
const EMPTY_STREAM = 0x0e;
const EMPTY_FILE = 0x0f;
const NAMES = 0x11;
const MAX_HEADER = 64 * 1024 * 1024;
const MAX_FILES = 1_000_000;
/** A packed header may be packed again; programs do not do that. */
const MAX_LAYERS = 4;
const CODER_COPY = '00';
const CODER_LZMA = '030101';
const CODER_LZMA2 = '21';
const CODER_DEFLATE = '040108';
const CODER_AES = '06f10701';

export interface SevenZipFile {
  readonly name: string;
  readonly size: number;
  readonly folder: boolean;
  readonly encrypted: boolean;
}

/** The list of files; `encrypted` when it cannot be read without a password; undefined when it cannot be read. */
export function readSevenZipHeader(archive: Buffer): readonly SevenZipFile[] | 'encrypted' | undefined {
  if (archive.length < START) return undefined;
  const at = START + Number(archive.readBigUInt64LE(12));
  const size = Number(archive.readBigUInt64LE(20));
  if (size === 0) return [];
  if (at + size > archive.length || size > MAX_HEADER) return undefined;
  let header = archive.subarray(at, at + size);
  if (crc32(header) !== archive.readUInt32LE(28)) return undefined;
  for (let layer = 0; layer < MAX_LAYERS; layer += 1) {
    const reader = new HeaderReader(header);
    const kind = reader.byte();
    if (kind === HEADER) return readFiles(reader);
    if (kind !== ENCODED) return undefined;
    const streams = readStreams(reader);
    const folder = streams?.folders[0];
    if (streams === undefined || folder === undefined || folder.size > MAX_HEADER) return undefined;
    if (isEncrypted(folder)) return 'encrypted';
    const start = START + streams.packPosition;
    const next = unpackHeader(archive.subarray(start, start + (streams.packSizes[0] ?? 0)), folder);
    if (next === undefined) return undefined;
    header = next;
  }
  return undefined;
}

function isEncrypted({ coders }: PackedFolder): boolean {
  return coders.some(({ id }) => id === CODER_AES);
}

function unpackHeader(packed: Buffer, { coders, size }: PackedFolder): Buffer | undefined {
  const [coder] = coders;
  if (coder === undefined || coders.length > 1) return undefined;
  switch (coder.id) {
    case CODER_COPY:
      return packed;
    case CODER_LZMA: {
      const result = unpackStream(packed, coder.properties[0] ?? 0, size, MAX_HEADER);
      return result.kind === 'ok' ? result.bytes : undefined;
    }
    case CODER_LZMA2: {
      const window = new Window(MAX_HEADER, size);
      return unpackLzma2(packed, 0, window).end === 'end' ? window.result() : undefined;
    }
    case CODER_DEFLATE:
      return inflateWithin(packed, size);
    default:
      return undefined;
  }
}

function inflateWithin(packed: Buffer, size: number): Buffer | undefined {
  try {
    return inflateRawSync(packed, { maxOutputLength: Math.max(1, size) });
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
}

function readFiles(reader: HeaderReader): readonly SevenZipFile[] | undefined {
  let streams: Streams | undefined = { packPosition: 0, packSizes: [], folders: [], sizes: [] };
  for (let id = reader.byte(); id !== FILES; id = reader.byte()) {
    if (id === PROPERTIES) skipProperties(reader);
    else if (id === ADDITIONAL) readStreams(reader);
    else if (id === MAIN_STREAMS) streams = readStreams(reader);
    // An archive of no files ends here.
    else return id === 0 && !reader.failed() ? [] : undefined;
    if (reader.failed() || streams === undefined) return undefined;
  }
  const count = reader.number();
  // Each file has a name: a header that tells of more files than it has bytes is made up.
  if (count > MAX_FILES || count > reader.bytes.length) return undefined;
  let names: readonly string[] = [];
  let withoutStream: readonly boolean[] = [];
  let emptyFiles: readonly boolean[] = [];
  for (let id = reader.number(); id !== 0; id = reader.number()) {
    const size = reader.number();
    const property = new HeaderReader(reader.take(size));
    if (reader.failed()) return undefined;
    if (id === NAMES) names = readNames(property.bytes);
    else if (id === EMPTY_STREAM) withoutStream = property.bits(count);
    else if (id === EMPTY_FILE) emptyFiles = property.bits(withoutStream.filter(Boolean).length);
  }
  const sizes = streams.folders.flatMap((folder, index) =>
    (streams.sizes[index] ?? []).map((size) => ({ size, encrypted: isEncrypted(folder) })),
  );
  let nextStream = 0;
  let nextEmpty = 0;
  return Array.from({ length: count }, (_, index) => {
    const name = names[index] ?? '';
    if (withoutStream[index] === true) {
      return { name, size: 0, encrypted: false, folder: emptyFiles[nextEmpty++] !== true };
    }
    return { name, folder: false, ...(sizes[nextStream++] ?? { size: 0, encrypted: false }) };
  });
}

function skipProperties(reader: HeaderReader): void {
  for (let id = reader.number(); id !== 0 && !reader.failed(); id = reader.number()) reader.take(reader.number());
}

/** UTF-16, each ended by a NUL; the first byte says that they stand here. */
function readNames(bytes: Buffer): readonly string[] {
  if (bytes[0] !== 0) return [];
  return bytes.toString('utf16le', 1).split('\0');
}
