import { isEncoded } from '../structure.js';
import type { Part, Structure } from '../types.js';

/**
 * The text before the first part of a multipart and behind its last one (RFC 2046 5.1.1), which readers without MIME
 * show. Empty pieces are left out.
 */
export function aroundParts(bytes: Buffer, structure: Structure, part: Part): readonly Buffer[] {
  if (!part.type.startsWith('multipart/') || isEncoded(part.encoding)) return [];
  let first = part.body.end;
  let last = part.body.start;
  for (const index of part.children) {
    const child = structure.parts[index];
    if (child === undefined) continue;
    first = Math.min(first, child.range.start);
    last = Math.max(last, child.range.end);
  }
  if (first >= last) return [];
  const { start, end } = part.body;
  return [bytes.subarray(start, first), bytes.subarray(last, end)].filter(({ length }) => length > 0);
}
