import type { HeaderField, Message } from '../../../message/types.js';
import type { Dns } from '../dns.js';
import type { SignatureOutcome } from '../types.js';
import { canonicalBodyLength } from './body-length.js';
import type { Evidence } from './evidence.js';
import { judge } from './judge.js';
import { readSignature, type RefusedSignature, type Signature } from './signature.js';

/** Signatures of one message that are verified, from the top; each costs a look-up. */
const MAX_SIGNATURES = 8;

/**
 * Verifies the DKIM signatures of a message (RFC 6376), in their order; none when it is not signed.
 * @param now ms since the epoch
 */
export async function verifyDkim(
  message: Message,
  evidence: Evidence,
  dns: Dns,
  now: number,
): Promise<readonly SignatureOutcome[]> {
  const fields = message.structure.root.fields.filter((field) => field.key === 'dkim-signature');
  return await Promise.all(
    fields.map(async (field, index): Promise<SignatureOutcome> => {
      const read = readOne(message, field, index, now);
      const known = { domain: read.domain, selector: read.selector, mark: read.signature.slice(0, 8) };
      if (read.kind === 'refused') return { ...known, result: 'permerror', reason: read.reason };
      return { ...known, ...(await judge(read, field.range, evidence, dns)) };
    }),
  );
}

function readOne(message: Message, field: HeaderField, index: number, now: number): Signature | RefusedSignature {
  const value = message.bytes.toString('latin1', field.value.start, field.value.end);
  const signature = readSignature(value, Math.floor(now / 1000));
  if (signature.kind === 'refused') return signature;
  const refused = (reason: string): RefusedSignature => ({ ...signature, kind: 'refused', reason });
  if (index >= MAX_SIGNATURES) return refused('the message bears too many signatures');
  if (signature.length === undefined) return signature;
  const body = message.bytes.subarray(message.structure.root.body.start, message.structure.root.body.end);
  const length = canonicalBodyLength(body, signature.bodyCanonicalization);
  if (signature.length > length) return refused('the signature claims more body than there is');
  return signature.length < length ? refused('the end of the body is not signed') : signature;
}
