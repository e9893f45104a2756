import { createHash, verify, type KeyObject } from 'node:crypto';
import type { ByteRange } from '../../../message/types.js';
import {
  canonicalField,
  canonicalSignatureField,
  signedFields,
  type Canonicalization,
  type FieldRanges,
} from './canonical-header.js';

/** What a signature covers besides the body. */
export interface SignedHeader {
  /** How many From fields are signed. */
  readonly from: number;
  /** What the signature is of (RFC 6376 3.7). */
  readonly data: Buffer;
}

/** @param field the signature field */
export function signedHeader(
  bytes: Buffer,
  fields: FieldRanges,
  field: ByteRange,
  { headers, headerCanonicalization }: { headers: readonly string[]; headerCanonicalization: Canonicalization },
): SignedHeader {
  const signed = signedFields(fields, headers, field.start);
  const from = new Set(fields.get('from'));
  const text = [
    ...signed.map(({ start, end }) => canonicalField(bytes.subarray(start, end), headerCanonicalization)),
    canonicalSignatureField(bytes.subarray(field.start, field.end), headerCanonicalization),
  ];
  return { from: signed.filter((one) => from.has(one)).length, data: Buffer.from(text.join(''), 'latin1') };
}

/**
 * Whether the signature is of these bytes (RFC 6376 3.3, RFC 8463 3).
 * @returns undefined when the key is of another type than the algorithm, or cannot be used
 */
export function signatureFits(
  data: Buffer,
  { algorithm, signature }: { algorithm: string; signature: string },
  key: KeyObject,
): boolean | undefined {
  if (`${key.asymmetricKeyType ?? ''}-sha256` !== algorithm) return undefined;
  const given = Buffer.from(signature, 'base64');
  try {
    if (algorithm === 'rsa-sha256') return verify('sha256', data, key, given);
    return verify(null, createHash('sha256').update(data).digest(), key, given);
  } catch {
    return undefined;
  }
}
