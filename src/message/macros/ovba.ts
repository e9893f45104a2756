/** Bytes that one compressed chunk becomes (MS-OVBA 2.4.1.1.1). */
const CHUNK = 4096;

/**
 * Undoes the compression of VBA source (MS-OVBA 2.4.1.3), as far as it goes.
 * @param start of the container, at its signature byte
 * @param max bytes that are made
 * @returns undefined when there is no container
 */
export function decompressVba(bytes: Buffer, start: number, max: number): Buffer | undefined {
  if (bytes[start] !== 0x01) return undefined;
  const out = Buffer.allocUnsafe(Math.min(max, Math.ceil((bytes.length - start) / 3 + 1) * CHUNK));
  let length = 0;
  let at = start + 1;
  while (at + 2 <= bytes.length && length < out.length) {
    const head = bytes.readUInt16LE(at);
    if (((head >> 12) & 7) !== 3) break;
    const end = Math.min(bytes.length, at + 3 + (head & 0xfff));
    at += 2;
    if ((head & 0x8000) === 0) {
      length += bytes.copy(out, length, at, Math.min(bytes.length, at + CHUNK));
      at += CHUNK;
    } else {
      length = tokens(bytes, at, end, out, length);
      at = end;
    }
  }
  return out.subarray(0, length);
}

/** The token sequences of one chunk (MS-OVBA 2.4.1.3.4); gives the new length of the output. */
function tokens(bytes: Buffer, from: number, end: number, out: Buffer, chunkStart: number): number {
  let length = chunkStart;
  let at = from;
  while (at < end) {
    const flags = bytes[at] ?? 0;
    at += 1;
    for (let bit = 0; bit < 8 && at < end; bit += 1) {
      if (length >= out.length || length - chunkStart >= CHUNK) return length;
      if ((flags & (1 << bit)) === 0) {
        out[length++] = bytes[at] ?? 0;
        at += 1;
        continue;
      }
      if (at + 2 > end) return length;
      const token = bytes.readUInt16LE(at);
      at += 2;
      // MS-OVBA 2.4.1.3.19.1: the further into the chunk, the more bits the offset takes.
      const bits = Math.max(4, Math.ceil(Math.log2(Math.max(1, length - chunkStart))));
      const offset = (token >> (16 - bits)) + 1;
      const count = (token & (0xffff >> bits)) + 3;
      if (offset > length - chunkStart) return length;
      const stop = Math.min(out.length, length + count);
      for (; length < stop; length += 1) out[length] = out[length - offset] ?? 0;
    }
  }
  return length;
}
