import { createPublicKey, type KeyObject } from 'node:crypto';
import { DnsFailure, type Dns } from '../dns.js';
import { colonList, packed, parseTagList, type TagList } from './tags.js';

/** RFC 8301 3.2. */
const MIN_MODULUS = 1024;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

export interface Key {
  readonly kind: 'key';
  readonly publicKey: KeyObject;
  readonly tags: TagList;
}

/** Why there is none to verify with. */
export interface KeyProblem {
  readonly kind: 'problem';
  readonly result: 'none' | 'permerror' | 'temperror';
  readonly reason: string;
}

/** Looks up the key of a signature (RFC 6376 3.6.2, 6.1.2). Never throws. */
export async function lookUpKey(signer: { selector: string; domain: string }, dns: Dns): Promise<Key | KeyProblem> {
  let record: string | undefined;
  try {
    [record] = await dns.txt(`${signer.selector}._domainkey.${signer.domain}`);
  } catch (error) {
    if (!(error instanceof DnsFailure)) throw error;
    return { kind: 'problem', result: 'temperror', reason: 'the look-up of the key failed' };
  }
  return record === undefined ? problem('there is no key') : readKey(record);
}

/** Reads the record of a key (RFC 6376 3.6.1, RFC 8463 4). */
function readKey(record: string): Key | KeyProblem {
  const tags = parseTagList(record);
  if (tags === undefined) return problem('the key cannot be read');
  // Mail that is signed with a key for tests is treated like mail without a signature.
  if (colonList(tags.get('t') ?? '').includes('y')) return problem('the key is for tests only', 'none');
  if ((tags.get('v') ?? 'DKIM1').toUpperCase() !== 'DKIM1') return problem('an unknown version of the key');
  const text = packed(tags.get('p'));
  if (!BASE64.test(text)) return problem('the key is revoked or cannot be read');
  const type = (tags.get('k') ?? 'rsa').toLowerCase();
  const publicKey = publicKeyOf(type, Buffer.from(text, 'base64'));
  if (publicKey?.asymmetricKeyType !== type) return problem('an unknown type of key');
  const { modulusLength = 0 } = publicKey.asymmetricKeyDetails ?? {};
  if (type === 'rsa' && modulusLength < MIN_MODULUS) return problem('the key is too short (RFC 8301)');
  return { kind: 'key', publicKey, tags };
}

function problem(reason: string, result: KeyProblem['result'] = 'permerror'): KeyProblem {
  return { kind: 'problem', result, reason };
}

/**
 * RFC 6376 3.6.1 wants an RSA key as RSAPublicKey (PKCS #1), its own example and nearly all records have a
 * SubjectPublicKeyInfo. An Ed25519 key is the 32 bytes alone (RFC 8463 4.2).
 */
function publicKeyOf(type: string, bytes: Buffer): KeyObject | undefined {
  if (type === 'ed25519' && bytes.length === 32) {
    const key = { kty: 'OKP', crv: 'Ed25519', x: bytes.toString('base64url') };
    return createPublicKey({ key, format: 'jwk' });
  }
  for (const form of ['spki', 'pkcs1'] as const)
    try {
      return createPublicKey({ key: bytes, format: 'der', type: form });
    } catch {
      // It may be of the other form.
    }
  return undefined;
}
