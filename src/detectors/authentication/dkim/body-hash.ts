import { createHash, type Hash } from 'node:crypto';
import type { Canonicalization } from './canonical-header.js';

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const CHUNK = 64 * 1024;

/**
 * SHA-256 of the whole canonical body in base64, as it stands in `bh=` (RFC 6376 3.4.3, 3.4.4, 3.7).
 * @param body with CRLF line ends only
 */
export function bodyHash(body: Buffer, canonicalization: Canonicalization): string {
  const hash = createHash('sha256');
  if (canonicalization === 'simple') {
    let end = body.length;
    while (end >= 2 && body[end - 1] === LF && body[end - 2] === CR) end -= 2;
    hash.update(body.subarray(0, end)).update('\r\n');
  } else hashRelaxed(body, hash);
  return hash.digest('base64');
}

function hashRelaxed(body: Buffer, hash: Hash): void {
  const chunk = Buffer.allocUnsafe(CHUNK);
  let used = 0;
  const put = (byte: number): void => {
    if (used === CHUNK) {
      hash.update(chunk);
      used = 0;
    }
    chunk[used] = byte;
    used += 1;
  };
  let lineEnds = 0;
  let space = false;
  const putWaiting = (): void => {
    for (; lineEnds > 0; lineEnds -= 1) {
      put(CR);
      put(LF);
    }
    if (space) put(SPACE);
    space = false;
  };
  for (let at = 0; at < body.length; at += 1) {
    const byte = body[at] ?? 0;
    if (byte === LF) {
      lineEnds += 1;
      space = false;
    } else if (byte === SPACE || byte === TAB) space = true;
    else if (byte !== CR || body[at + 1] !== LF) {
      putWaiting();
      put(byte);
    }
  }
  // Behind the last CRLF white space ends no line, as signers see it.
  if (space) putWaiting();
  const empty = used === 0;
  hash.update(chunk.subarray(0, used));
  if (!empty) hash.update('\r\n');
}
