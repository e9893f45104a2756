import { createHash, createSign, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';

/** A DKIM signer of its own (RFC 6376 3.7), so that tests do not ask the library that they test. It signs nonsense too. */
export interface SignOptions {
  readonly domain: string;
  readonly selector: string;
  readonly key: KeyObject;
  readonly algorithm?: 'rsa-sha256' | 'rsa-sha1' | 'ed25519-sha256';
  /** `c=`, default relaxed/relaxed. */
  readonly canonicalization?: string;
  /** `h=`, default From, To and Subject. */
  readonly headers?: readonly string[];
  /** Further tags, such as `x=1`; `v=2` takes the place of `v=1`. */
  readonly tags?: readonly string[];
  /** What stands before the signature, by default `b=`. */
  readonly mark?: string;
  /** `l=`: bytes of the canonical body that are signed. */
  readonly length?: number;
}

export const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
export const rsaShort = generateKeyPairSync('rsa', { modulusLength: 768 });
export const ed25519 = generateKeyPairSync('ed25519');

/** The key's record (RFC 6376 3.6.1, RFC 8463 4.2), with further tags. */
export function keyRecord(key: KeyObject, ...tags: readonly string[]): string {
  const der = key.export({ type: 'spki', format: 'der' });
  const type = key.asymmetricKeyType === 'ed25519' ? 'ed25519' : 'rsa';
  const bytes = type === 'ed25519' ? der.subarray(-32) : der;
  return ['v=DKIM1', `k=${type}`, ...tags, `p=${bytes.toString('base64')}`].join('; ');
}

/** The message with a DKIM-Signature on top. */
export function signed(message: string, options: SignOptions): string {
  return `${signatureField(message, options)}\r\n${message}`;
}

export function signatureField(message: string, options: SignOptions, name = 'DKIM-Signature'): string {
  const { algorithm = 'rsa-sha256', canonicalization = 'relaxed/relaxed' } = options;
  const headers = options.headers ?? ['From', 'To', 'Subject'];
  const [headerCanon, bodyCanon = 'simple'] = canonicalization.split('/');
  const split = message.indexOf('\r\n\r\n');
  const fields = message.slice(0, split).split(/\r\n(?![ \t])/);
  const body = canonicalBody(message.slice(split + 4), bodyCanon);
  const hash = algorithm === 'rsa-sha1' ? 'sha1' : 'sha256';
  const covered = options.length === undefined ? body : body.slice(0, options.length);
  const own = (options.tags ?? []).map((tag) => tag.slice(0, tag.indexOf('=')));
  const usual = [
    ...(name === 'DKIM-Signature' ? ['v=1'] : []),
    `a=${algorithm}`,
    `c=${canonicalization}`,
    `d=${options.domain}`,
    `s=${options.selector}`,
    `h=${headers.join(':')}`,
    `bh=${createHash(hash).update(covered, 'latin1').digest('base64')}`,
    ...(options.length === undefined ? [] : [`l=${options.length}`]),
  ].filter((tag) => !own.includes(tag.slice(0, tag.indexOf('='))));
  const field = `${name}: ${[...usual, ...(options.tags ?? []), options.mark ?? 'b='].join('; ')}`;
  const data = [
    ...pick(fields, headers).map((line) => `${canonicalField(line, headerCanon)}\r\n`),
    canonicalField(field.replace(/[ \t\r\n]+$/, ''), headerCanon),
  ].join('');
  return field + signatureOf(data, algorithm, hash, options.key);
}

export function signatureOf(data: string, algorithm: string, hash: string, key: KeyObject): string {
  const bytes = Buffer.from(data, 'latin1');
  return algorithm.startsWith('ed25519')
    ? sign(null, createHash('sha256').update(bytes).digest(), key).toString('base64')
    : createSign(hash).update(bytes).sign(key).toString('base64');
}

/** The fields that `h=` names, from the bottom up, each once (RFC 6376 5.4.2). */
function pick(fields: readonly string[], names: readonly string[]): string[] {
  const left = [...fields].reverse();
  return names.flatMap((name) => {
    const index = left.findIndex(
      (field) => field.slice(0, field.indexOf(':')).trim().toLowerCase() === name.toLowerCase(),
    );
    return index < 0 ? [] : left.splice(index, 1);
  });
}

export function canonicalField(field: string, canonicalization = 'simple'): string {
  if (canonicalization === 'simple') return field;
  const colon = field.indexOf(':');
  const value = field
    .slice(colon + 1)
    .replace(/\r\n/g, '')
    .replace(/[ \t]+/g, ' ')
    .replace(/^ | $/g, '');
  return `${field.slice(0, colon).trim().toLowerCase()}:${value}`;
}

export function canonicalBody(body: string, canonicalization: string): string {
  if (canonicalization === 'simple') return `${body.replace(/(?:\r\n)+$/, '')}\r\n`;
  const lines = body
    .replace(/[ \t]+\r\n/g, '\r\n')
    .replace(/[ \t]+/g, ' ')
    .replace(/(?:\r\n)+$/, '');
  return lines === '' ? '' : `${lines}\r\n`;
}
