import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chunksOf } from './quarantine.js';

describe('chunks of an original', () => {
  it('hold all bytes in pieces of the size asked for', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 40 })),
        fc.integer({ min: 1, max: 16 }),
        async (pieces, size) => {
          const chunks: Buffer[] = [];
          for await (const chunk of chunksOf(
            pieces.map((piece) => Buffer.from(piece)),
            size,
          ))
            chunks.push(chunk);
          expect(Buffer.concat(chunks)).toEqual(Buffer.concat(pieces));
          expect(chunks.slice(0, -1).every((chunk) => chunk.length === size)).toBe(true);
          expect(chunks.at(-1)?.length).not.toBe(0);
        },
      ),
    );
  });
});
