import type { Dns } from '../dns.js';
import type { SignatureOutcome } from '../types.js';
import { signatureFits, type SignedHeader } from './header-signature.js';
import { lookUpKey, type Key } from './key.js';
import type { Signature } from './signature.js';
import { colonList } from './tags.js';

type Judged = Pick<SignatureOutcome, 'result' | 'reason'>;

const NO_PASS = (result: SignatureOutcome['result'], reason: string): Judged => ({ result, reason });

/** What our own reading of the message says of one signature. */
export interface Evidence {
  readonly header: SignedHeader;
  /** Hash of the body under the canonicalization of the signature. */
  readonly bodyHash: string;
  /** Number of From fields in the message: each must be signed (RFC 6376 8.15). */
  readonly fromFields: number;
}

/** What a signature is worth (RFC 6376 6.1.2, 6.1.3). Never throws. */
export async function judge(own: Signature, { header, bodyHash, fromFields }: Evidence, dns: Dns): Promise<Judged> {
  const key = await lookUpKey(own, dns);
  if (key.kind === 'problem' && key.result === 'none') return NO_PASS(key.result, key.reason);
  if (bodyHash !== own.bodyHash) return NO_PASS('fail', 'the body was changed');
  if (key.kind === 'problem') return NO_PASS(key.result, key.reason);
  const judged = compared(own, header.data, key);
  if (judged.result !== 'pass') return judged;
  if (header.from < fromFields || header.from === 0) return NO_PASS('permerror', 'not every From is signed');
  return keyProblem(own, key) ?? judged;
}

function compared(own: Signature, data: Buffer, { publicKey }: Key): Judged {
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
function keyProblem(own: Signature, { tags }: Key): Judged | undefined {
  const services = colonList(tags.get('s') ?? '*');
  if (!services.includes('*') && !services.includes('email')) return NO_PASS('permerror', 'the key is not for mail');
  const hashes = tags.get('h');
  if (hashes !== undefined && !colonList(hashes).includes('sha256'))
    return NO_PASS('permerror', 'the key does not allow the algorithm');
  if (colonList(tags.get('t') ?? '').includes('s') && own.identityDomain !== own.domain)
    return NO_PASS('permerror', 'the key does not allow identities of subdomains');
  return undefined;
}
