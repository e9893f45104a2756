import { createReadStream } from 'node:fs';
import { crc32 } from 'node:zlib';
import type { Content } from '../message/source.js';

/** The CRC-32 of bytes that pass by, as the spool writes it: eight digits, base 16. */
export class Checksum {
  #value = 0;

  get text(): string {
    return this.#value.toString(16).padStart(8, '0');
  }

  add(piece: Buffer): void {
    this.#value = crc32(piece, this.#value);
  }

  /** Hands the pieces on, and counts them in. */
  async *over(pieces: ReturnType<Content['read']>): AsyncGenerator<Buffer> {
    for await (const piece of pieces) {
      this.add(piece);
      yield piece;
    }
  }
}

/** The same of a whole file. @throws the file system's error */
export async function checksumOf(file: string): Promise<string> {
  const checksum = new Checksum();
  for await (const piece of createReadStream(file)) if (Buffer.isBuffer(piece)) checksum.add(piece);
  return checksum.text;
}

/** What is read has not the checksum that was written down. */
export class ChecksumError extends Error {}

/**
 * A content whose reading fails at its end when its bytes are not those that were written: nobody takes it for a whole
 * message then.
 * @param expected undefined for one of which no checksum was written down
 */
export function checkedContent(content: Content, expected: string | undefined, onDamage: () => void): Content {
  if (expected === undefined) return content;
  return {
    size: content.size,
    async *read() {
      const checksum = new Checksum();
      yield* checksum.over(content.read());
      if (checksum.text === expected) return;
      onDamage();
      throw new ChecksumError('the bytes of the message have changed since it was spooled');
    },
  };
}
