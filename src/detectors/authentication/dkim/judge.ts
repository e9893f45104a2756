import { DnsFailure, type Dns } from '../dns.js';
import type { SignatureOutcome } from '../types.js';
import { signatureFits, type SignedHeader } from './header-signature.js';
import type { VerifiedSignature } from './library.js';
import type { Signature } from './signature.js';
import { colonList, parseTagList } from './tags.js';

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

/**
 * What a signature is worth: the library looks up the key, body and header are compared here. A result counts only if
 * the library read the same field: the same domain, selector, algorithm, hash and signature. Copies with other tags may
 * stand beside it (RFC 6376 4.2), of which the library may have taken the key instead: it is the same key.
 */
export async function judge(
  own: Signature,
  verified: readonly VerifiedSignature[],
  evidence: Evidence,
  dns: Dns,
): Promise<Judged> {
  const alike = verified.filter(
    (one) =>
      one.signature === own.signature &&
      one.signingDomain.toLowerCase() === own.domain &&
      one.selector === own.selector &&
      one.algo.toLowerCase() === own.algorithm &&
      one.bodyHashExpecting === own.bodyHash,
  );
  const found = alike.find((one) => one.publicKey !== undefined) ?? alike.find(hasBody) ?? alike[0];
  if (found === undefined) return NO_PASS('permerror', TWO_WAYS);
  const judged = compared(own, found, evidence);
  const key = parseTagList(found.rr ?? (await keyText(own, dns)));
  // RFC 6376 3.6.1: mail that is signed with a key for tests is treated like mail without a signature.
  if (key !== undefined && colonList(key.get('t') ?? '').includes('y'))
    return NO_PASS('none', 'the key is for tests only');
  if (judged.result !== 'pass') return judged;
  const { header, fromFields } = evidence;
  if (header.from < fromFields || header.from === 0) return NO_PASS('permerror', 'not every From is signed');
  return keyProblem(own, key) ?? judged;
}

const TWO_WAYS = 'the signature cannot be read in one way only';

/** The key's record, where the library did not get as far as to look it up. */
async function keyText({ selector, domain }: Signature, dns: Dns): Promise<string> {
  try {
    return (await dns.txt(`${selector}._domainkey.${domain}`))[0] ?? '';
  } catch (error) {
    if (error instanceof DnsFailure) return '';
    throw error;
  }
}

/** What the key's record does not allow (RFC 6376 3.6.1). */
function keyProblem(own: Signature, key: ReturnType<typeof parseTagList>): Judged | undefined {
  if (key === undefined) return NO_PASS('permerror', 'the key cannot be read');
  const services = colonList(key.get('s') ?? '*');
  if (!services.includes('*') && !services.includes('email')) return NO_PASS('permerror', 'the key is not for mail');
  const hashes = key.get('h');
  if (hashes !== undefined && !colonList(hashes).includes('sha256'))
    return NO_PASS('permerror', 'the key does not allow the algorithm');
  const type = (key.get('k') ?? 'rsa').toLowerCase();
  if (!own.algorithm.startsWith(`${type}-`)) return NO_PASS('permerror', 'the key is of another type');
  if (colonList(key.get('t') ?? '').includes('s') && own.identityDomain !== own.domain)
    return NO_PASS('permerror', 'the key does not allow identities of subdomains');
  return undefined;
}

/** The library has looked for the key of those alone whose body fits. */
function hasBody({ bodyHash, bodyHashExpecting }: VerifiedSignature): boolean {
  return bodyHash === bodyHashExpecting;
}

function compared(own: Signature, found: VerifiedSignature, { header, bodyHash }: Evidence): Judged {
  if (bodyHash !== own.bodyHash) return NO_PASS('fail', 'the body was changed');
  if (!hasBody(found)) return NO_PASS('permerror', TWO_WAYS);
  if (found.publicKey === undefined) return withoutKey(found);
  switch (signatureFits(header.data, own, found.publicKey)) {
    case true:
      return { result: 'pass', reason: '' };
    case false:
      return NO_PASS('fail', 'the signature does not fit the message');
    default:
      return NO_PASS('permerror', UNVERIFIABLE);
  }
}

/** mailauth calls neutral what RFC 6376 6.1 calls a failure. */
function withoutKey({ status }: VerifiedSignature): Judged {
  switch (status.result) {
    case 'temperror':
      return NO_PASS('temperror', 'the look-up of the key failed');
    case 'policy':
      return NO_PASS('permerror', 'the key is too short (RFC 8301)');
    default:
      return NO_PASS('permerror', REASONS.get(status.comment ?? '') ?? UNVERIFIABLE);
  }
}

const UNVERIFIABLE = 'the signature cannot be verified';

const REASONS: ReadonlyMap<string, string> = new Map([
  ['no key', 'there is no key'],
  ['invalid public key', 'the key is revoked or cannot be read'],
  ['unknown key version', 'an unknown version of the key'],
  ['unknown key type', 'an unknown type of key'],
]);
