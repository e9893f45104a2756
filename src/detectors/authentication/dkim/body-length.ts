import type { Canonicalization } from './canonical-header.js';

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;

/**
 * Length of the body in canonical form (RFC 6376 3.4.3, 3.4.4), which is what `l=` counts.
 * @param body with CRLF line ends only
 */
export function canonicalBodyLength(body: Buffer, canonicalization: Canonicalization): number {
  return canonicalization === 'simple' ? simpleLength(body) : relaxedLength(body);
}

function simpleLength(body: Buffer): number {
  let end = body.length;
  while (end >= 2 && body[end - 1] === LF && body[end - 2] === CR) end -= 2;
  return end + 2;
}

function relaxedLength(body: Buffer): number {
  let total = 0;
  let emptyLines = 0;
  let line = 0;
  let space = false;
  const endLine = (): void => {
    if (line === 0) emptyLines += 2;
    else {
      total += emptyLines + line + 2;
      emptyLines = 0;
    }
    line = 0;
    space = false;
  };
  for (const byte of body) {
    if (byte === LF) endLine();
    else if (byte === SPACE || byte === TAB) space = true;
    else if (byte !== CR) {
      line += space ? 2 : 1;
      space = false;
    }
  }
  if (line > 0) endLine();
  return total;
}
