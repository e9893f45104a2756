import { asciiName } from '../names.js';
import { isDomainName } from '../spf/check-host.js';
import type { Canonicalization } from './canonical-header.js';
import { colonList, packed, parseTagList, type TagList } from './tags.js';

/** Who made a signature, under which key; a part that cannot be read is empty. */
export interface Signer {
  /** In lower case, as A-labels. */
  readonly domain: string;
  /** As A-labels. */
  readonly selector: string;
  readonly algorithm: string;
  readonly signature: string;
}

/** A signature field that may be verified. */
export interface Signature extends Signer {
  readonly kind: 'acceptable';
  /** Domain of the identity (`i=`). */
  readonly identityDomain: string;
  readonly bodyHash: string;
  /** `h=`: names of signed fields in lower case. */
  readonly headers: readonly string[];
  readonly headerCanonicalization: Canonicalization;
  readonly bodyCanonicalization: Canonicalization;
  /** `l=`: bytes of the canonical body that are signed. */
  readonly length?: number;
}

/** One that is no good whatever its key says (RFC 6376 6.1.1). */
export interface RefusedSignature extends Signer {
  readonly kind: 'refused';
  readonly reason: string;
}

const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/**
 * Checks a signature field by itself, before any look-up. What is refused here is what RFC 6376 6.1.1 and RFC 8301
 * refuse.
 * @param value of the field, folded as it is
 * @param now seconds since the epoch
 */
export function readSignature(value: string, now: number): Signature | RefusedSignature {
  const tags = parseTagList(value);
  if (tags === undefined)
    return { kind: 'refused', ...signerOf(new Map()), reason: 'the signature field cannot be read' };
  return checkSignature(tags, now);
}

/** The same for the tags of the field. */
export function checkSignature(tags: TagList, now: number): Signature | RefusedSignature {
  const signer = signerOf(tags);
  const problem = signerProblem(signer) ?? problemIn(tags, signer.domain) ?? timeProblem(tags, now);
  if (problem !== undefined) return { kind: 'refused', ...signer, reason: problem };
  const [headerCanonicalization, bodyCanonicalization] = (tags.get('c') ?? '').toLowerCase().split('/');
  const length = tags.get('l');
  return {
    kind: 'acceptable',
    ...signer,
    identityDomain: identityDomain(tags, signer.domain),
    bodyHash: packed(tags.get('bh')),
    headers: colonList(tags.get('h') ?? ''),
    headerCanonicalization: headerCanonicalization === 'relaxed' ? 'relaxed' : 'simple',
    bodyCanonicalization: bodyCanonicalization === 'relaxed' ? 'relaxed' : 'simple',
    ...(length === undefined ? {} : { length: Number(length) }),
  };
}

export function signerOf(tags: TagList): Signer {
  const named = asciiName(tags.get('d') ?? '').toLowerCase();
  const domain = isDomainName(named) ? named : '';
  const selector = asciiName(tags.get('s') ?? '');
  return {
    domain,
    // Where the name of the key is none that could be there, no answer would ever come.
    selector: isDomainName(`${selector}._domainkey.${domain}`) ? selector : '',
    algorithm: (tags.get('a') ?? '').toLowerCase(),
    signature: packed(tags.get('b')),
  };
}

/** What makes a signature no good whatever it is of (RFC 6376 6.1.1, RFC 8301 3.1). */
export function signerProblem({ domain, selector, algorithm, signature }: Signer): string | undefined {
  if (domain === '' || selector === '') return 'the signature names no usable domain or selector';
  if (algorithm === 'rsa-sha1') return 'rsa-sha1 does not count as a signature any more (RFC 8301)';
  if (algorithm !== 'rsa-sha256' && algorithm !== 'ed25519-sha256') return 'an unknown algorithm';
  return BASE64.test(signature) ? undefined : 'the signature is no base64';
}

function problemIn(tags: TagList, domain: string): string | undefined {
  if (tags.get('v') !== '1') return 'an unknown version of the signature';
  if (!/^(?:simple|relaxed)(?:\/(?:simple|relaxed))?$/i.test(tags.get('c') ?? 'simple/simple'))
    return 'an unknown canonicalization';
  if (!BASE64.test(packed(tags.get('bh')))) return 'the hash of the body is no base64';
  if (!colonList(tags.get('h') ?? '').includes('from')) return 'From is not signed';
  if (!colonList(tags.get('q') ?? 'dns/txt').some((method) => method === 'dns/txt'))
    return 'a way to look up the key that is unknown';
  const identity = identityDomain(tags, domain);
  if (identity !== domain && !identity.endsWith(`.${domain}`)) return 'the identity is not of the signing domain';
  const length = tags.get('l');
  return length === undefined || /^\d{1,15}$/.test(length) ? undefined : 'a length that is none';
}

/** What the times of a signature forbid (RFC 6376 3.5, `t=` and `x=`). */
export function timeProblem(tags: TagList, now: number): string | undefined {
  const signed = tags.get('t');
  const expires = tags.get('x');
  if (signed !== undefined && !/^\d{1,12}$/.test(signed)) return 'a time that is none';
  if (expires === undefined) return undefined;
  if (!/^\d{1,12}$/.test(expires)) return 'a time that is none';
  if (signed !== undefined && Number(expires) <= Number(signed)) return 'it expires before it was made';
  return Number(expires) < now ? 'the signature has expired' : undefined;
}

/** The domain of `i=`, by default `d=` (RFC 6376 3.5). */
function identityDomain(tags: TagList, domain: string): string {
  const identity = tags.get('i');
  return identity === undefined ? domain : asciiName(identity.slice(identity.lastIndexOf('@') + 1)).toLowerCase();
}
