import { canonicalField, signatureField, signatureOf, type SignOptions } from './sign.js';

/** What an ARC set is made with (RFC 8617 5.1), by default as it should be. */
export interface SealOptions extends SignOptions {
  /** Default: one more than there are on the message. */
  readonly instance?: number;
  /** `cv=`, default `none` for the first set and `pass` above it. */
  readonly status?: string;
  /** Further tags of the seal. */
  readonly sealTags?: readonly string[];
  /** ARC-Authentication-Results behind the instance. */
  readonly results?: string;
}

const NAMES = ['ARC-Authentication-Results', 'ARC-Message-Signature', 'ARC-Seal'];

/** The message with one more set on top. */
export function sealed(message: string, options: SealOptions): string {
  const below = NAMES.map((name) => fieldsOf(message, name).reverse());
  const count = below[2]?.length ?? 0;
  const { instance = count + 1, status = instance === 1 ? 'none' : 'pass', algorithm = 'rsa-sha256' } = options;
  const results = `ARC-Authentication-Results: i=${instance}; ${options.results ?? 'list.example; dkim=pass'}`;
  const signature = signatureField(
    message,
    { ...options, tags: [`i=${instance}`, ...(options.tags ?? [])] },
    'ARC-Message-Signature',
  );
  const tags = [
    `i=${instance}`,
    `a=${algorithm}`,
    `cv=${status}`,
    `d=${options.domain}`,
    `s=${options.selector}`,
    ...(options.sealTags ?? []),
  ];
  const seal = `ARC-Seal: ${tags.join('; ')}; b=`;
  const covered = [
    ...Array.from({ length: count }, (_, i) => below.map((fields) => fields[i] ?? '')).flat(),
    results,
    signature,
  ];
  const data = [...covered.map((field) => `${canonicalField(field, 'relaxed')}\r\n`), canonicalField(seal, 'relaxed')];
  const value = signatureOf(data.join(''), algorithm, 'sha256', options.key);
  return [seal + value, signature, results, message].join('\r\n');
}

/** Fields of the header by name, from the top. */
export function fieldsOf(message: string, name: string): string[] {
  const header = message.slice(0, message.indexOf('\r\n\r\n')).split(/\r\n(?![ \t])/);
  return header.filter((field) => field.toLowerCase().startsWith(`${name.toLowerCase()}:`));
}
