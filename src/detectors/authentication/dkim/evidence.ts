import type { Message } from '../../../message/types.js';
import { bodyHash } from './body-hash.js';
import { fieldRanges, type Canonicalization, type FieldRanges } from './canonical-header.js';

/** What the signatures of one message are compared with: our own reading of it, made once. */
export interface Evidence {
  readonly bytes: Buffer;
  readonly fields: FieldRanges;
  /** How many fields some reader may take for From: each must be signed (RFC 6376 8.15). */
  readonly fromFields: number;
  /** Hash of the body as it stands in `bh=`. */
  readonly bodyHash: (canonicalization: Canonicalization) => string;
}

export function evidenceOf(message: Message): Evidence {
  const { bytes, structure } = message;
  const { header, body } = structure.root;
  const hashes = new Map<Canonicalization, string>();
  return {
    bytes,
    fields: fieldRanges(bytes, header),
    fromFields: fromFields(message),
    bodyHash: (canonicalization) => {
      const hash = hashes.get(canonicalization) ?? bodyHash(bytes.subarray(body.start, body.end), canonicalization);
      hashes.set(canonicalization, hash);
      return hash;
    },
  };
}

function fromFields({ bytes, structure }: Message): number {
  const { header, fields } = structure.root;
  const lines = bytes.toString('latin1', header.start, header.end).match(/^from[ \t]*:/gim);
  return Math.max(lines?.length ?? 0, fields.filter((field) => field.key === 'from').length);
}
