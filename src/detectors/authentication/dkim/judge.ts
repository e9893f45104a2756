import type { ByteRange } from '../../../message/types.js';
import type { Dns } from '../dns.js';
import type { SignatureOutcome } from '../types.js';
import type { Evidence } from './evidence.js';
import { signatureFits, signedHeader } from './header-signature.js';
import { lookUpKey, type Key } from './key.js';
import type { Signature, Signer } from './signature.js';
import { colonList } from './tags.js';

export type Judged = Pick<SignatureOutcome, 'result' | 'reason'>;

const NO_PASS = (result: SignatureOutcome['result'], reason: string): Judged => ({ result, reason });

/**
 * What a signature of the message is worth (RFC 6376 6.1.2, 6.1.3). Never throws.
 * @param field where it stands
 */
export async function judge(own: Signature, field: ByteRange, evidence: Evidence, dns: Dns): Promise<Judged> {
  const key = await lookUpKey(own, dns);
  if (key.kind === 'problem' && key.result === 'none') return NO_PASS(key.result, key.reason);
  if (evidence.bodyHash(own.bodyCanonicalization) !== own.bodyHash) return NO_PASS('fail', 'the body was changed');
  if (key.kind === 'problem') return NO_PASS(key.result, key.reason);
  const header = signedHeader(evidence.bytes, evidence.fields, field, own);
  const judged = compared(own, header.data, key);
  if (judged.result !== 'pass') return judged;
  if (header.from < evidence.fromFields || header.from === 0) return NO_PASS('permerror', 'not every From is signed');
  return keyProblem(own.identityDomain === own.domain, key) ?? judged;
}

/** What a signature of these bytes is worth, such as a seal (RFC 8617 5.2 step 6). Never throws. */
export async function judgeData(own: Signer, data: Buffer, dns: Dns): Promise<Judged> {
  const key = await lookUpKey(own, dns);
  if (key.kind === 'problem') return NO_PASS(key.result, key.reason);
  return keyProblem(true, key) ?? compared(own, data, key);
}

function compared(own: Signer, data: Buffer, { publicKey }: Key): Judged {
  switch (signatureFits(data, own, publicKey)) {
    case true:
      return { result: 'pass', reason: '' };
    case false:
      return NO_PASS('fail', 'the signature does not fit the message');
    default:
      return NO_PASS('permerror', 'the key is of another type');
  }
}

/** What the key's record does not allow (RFC 6376 3.6.1). */
function keyProblem(ofDomainItself: boolean, { tags }: Key): Judged | undefined {
  const services = colonList(tags.get('s') ?? '*');
  if (!services.includes('*') && !services.includes('email')) return NO_PASS('permerror', 'the key is not for mail');
  const hashes = tags.get('h');
  if (hashes !== undefined && !colonList(hashes).includes('sha256'))
    return NO_PASS('permerror', 'the key does not allow the algorithm');
  if (colonList(tags.get('t') ?? '').includes('s') && !ofDomainItself)
    return NO_PASS('permerror', 'the key does not allow identities of subdomains');
  return undefined;
}
