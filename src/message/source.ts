import { open, type FileHandle } from 'node:fs/promises';
import type { Edit } from './types.js';

/**
 * Where the canonical bytes of a message lie: in shared memory, so that threads read them without a copy, or
 * in a file when the message is larger than the bound for memory.
 */
export type MessageSource =
  | { readonly kind: 'memory'; readonly bytes: Buffer<SharedArrayBuffer> }
  | { readonly kind: 'file'; readonly path: string; readonly size: number };

/** Bytes of a file that are read at a time. */
const READ = 2 ** 20;
/** The same of a file that is handed on piece by piece. */
const PIECE = 256 * 1024;

/** Bytes of a mail that can be read several times. All of it is in canonical CRLF form. */
export interface Content {
  /** In bytes. */
  readonly size: number;
  /**
   * A new reading from the start, in chunks of at most 256 KiB or so (a message in memory may come as one). Whoever begins it
   * ends it or gives it up, as `for await` does: it may have a file open.
   */
  read(): AsyncIterable<Buffer> | Iterable<Buffer>;
}

export function sizeOf(source: MessageSource): number {
  return source.kind === 'memory' ? source.bytes.length : source.size;
}

/** The whole message in memory: for a thread that scans it. */
export async function readSource(source: MessageSource): Promise<Buffer> {
  return source.kind === 'memory' ? source.bytes : await readWhole(source.path, source.size);
}

/** The bytes of a message file, in one piece of memory: Node's `readFile` takes twice as much. @throws Error when it has less */
export async function readWhole(path: string, size: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(size);
  const file = await open(path);
  try {
    for (let offset = 0; offset < size;) {
      const { bytesRead } = await file.read(bytes, offset, Math.min(READ, size - offset), offset);
      if (bytesRead === 0) throw shortOf(offset, size);
      offset += bytesRead;
    }
  } finally {
    await file.close();
  }
  return bytes;
}

/** Copies bytes into shared memory. */
export function memorySource(chunks: readonly Uint8Array[]): MessageSource {
  const size = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  const bytes = Buffer.from(new SharedArrayBuffer(size));
  let offset = 0;
  for (const chunk of chunks) {
    // Not `set`, which V8 does word by word where memory is shared, at a third of the speed.
    if (chunk.length > 0) bytes.fill(chunk, offset, offset + chunk.length);
    offset += chunk.length;
  }
  return { kind: 'memory', bytes };
}

/**
 * The message with fields put on top and edits applied, without copying what stays.
 * @param edits in order, not overlapping
 */
export function contentOf(source: MessageSource, top: Buffer = Buffer.alloc(0), edits: readonly Edit[] = []): Content {
  const size = edits.reduce(
    (sum, edit) => sum + edit.insert.length - (edit.end - edit.start),
    top.length + sizeOf(source),
  );
  return {
    size,
    read: () =>
      source.kind === 'memory'
        ? memoryPieces(source.bytes, top, edits)
        : filePieces(source.path, source.size, top, edits),
  };
}

/** A piece of the result: new bytes, or a range of the original. */
type Segment = { readonly bytes: Uint8Array } | { readonly start: number; readonly end: number };

function* segments(total: number, top: Buffer, edits: readonly Edit[]): Generator<Segment> {
  if (top.length > 0) yield { bytes: top };
  let position = 0;
  for (const edit of edits) {
    if (edit.start > position) yield { start: position, end: edit.start };
    if (edit.insert.length > 0) yield { bytes: edit.insert };
    position = edit.end;
  }
  if (position < total) yield { start: position, end: total };
}

function* memoryPieces(bytes: Buffer, top: Buffer, edits: readonly Edit[]): Generator<Buffer> {
  for (const segment of segments(bytes.length, top, edits)) {
    yield 'bytes' in segment ? asBuffer(segment.bytes) : bytes.subarray(segment.start, segment.end);
  }
}

/** The file is opened once: a reading that has begun goes on to its end when the file is removed meanwhile. */
async function* filePieces(path: string, total: number, top: Buffer, edits: readonly Edit[]): AsyncGenerator<Buffer> {
  const file = await open(path);
  try {
    for (const segment of segments(total, top, edits)) {
      if ('bytes' in segment) yield asBuffer(segment.bytes);
      else yield* rangeOf(file, segment.start, segment.end);
    }
  } finally {
    await file.close();
  }
}

async function* rangeOf(file: FileHandle, start: number, end: number): AsyncGenerator<Buffer> {
  for (let offset = start; offset < end;) {
    const piece = Buffer.allocUnsafeSlow(Math.min(PIECE, end - offset));
    const { bytesRead } = await file.read(piece, 0, piece.length, offset);
    if (bytesRead === 0) throw shortOf(offset, end);
    offset += bytesRead;
    yield piece.subarray(0, bytesRead);
  }
}

function shortOf(read: number, size: number): Error {
  return new Error(`the message file ended after ${read} of ${size} bytes`);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
