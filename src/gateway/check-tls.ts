import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { createSecureContext } from 'node:tls';
import { whyNoAuthority, whyUnread } from '../config/files.js';
import { shownAddress } from '../config/listening.js';
import type { Config } from '../config/load.js';
import type { Problem } from '../config/problems.js';
import { parseRedisUrl } from '../config/redis-url.js';
import { codeOf, messageOf } from '../store/errors.js';
import type { Purpose } from './setup.js';

/**
 * What keeps TLS from working in what the configuration names: a certificate, a key or an authority's file that cannot
 * be used, and what needs `smtp.tls` without it. Only where it is used: a worker needs no key, and
 * who tries rules elsewhere none of these files.
 */
export function checkTls(config: Config, purpose: Purpose): Problem[] {
  if (purpose === 'trial') return [];
  return [...(purpose === 'gateway' ? checkOwn(config) : []), ...checkQueue(config)];
}

function checkOwn({ smtp, source }: Config): Problem[] {
  if (smtp.tls !== undefined) return checkPair(smtp.tls, source);
  const problems = smtp.listen.flatMap((address, i) =>
    address.implicitTls
      ? [
          source.error(
            ['smtp', 'listen', i],
            `\`smtp.listen[${i}]\`: listening on ${shownAddress(address)} needs \`smtp.tls\``,
            'name certificate and key: smtp: { tls: { cert: ./cert.pem, key: ./key.pem } }',
          ),
        ]
      : [],
  );
  if (smtp.auth !== undefined)
    problems.push(
      source.warning(
        ['smtp', 'auth'],
        '`smtp.auth` has no effect without `smtp.tls`: logging in is offered only under TLS',
        undefined,
        'key',
      ),
    );
  return problems;
}

/** Certificate and key, each by itself and together. */
function checkPair(files: { readonly cert: string; readonly key: string }, source: Config['source']): Problem[] {
  const each = (why: (file: string, use: (pem: Buffer) => void) => string | undefined): Problem[] =>
    [
      { name: 'cert', file: files.cert, use: (pem: Buffer) => new X509Certificate(pem) },
      { name: 'key', file: files.key, use: (pem: Buffer) => createPrivateKey(pem) },
    ].flatMap(({ name, file, use }) => {
      const reason = why(file, use);
      return reason === undefined ? [] : [source.error(['smtp', 'tls', name], `\`smtp.tls.${name}\`: ${reason}`)];
    });
  const unread = each(whyUnread);
  if (unread.length > 0) return unread;
  const [cert, key] = [readFileSync(files.cert), readFileSync(files.key)];
  const together = (reason: string): Problem[] => [
    source.error(['smtp', 'tls'], `\`smtp.tls\`: certificate and key ${reason}`),
  ];
  const code = whyNot(() => createSecureContext({ cert, key }));
  // OpenSSL itself finds only keys of the certificate's own kind wrong.
  if (code === undefined) return isPair(cert, key) ? [] : together(UNLIKE);
  const unusable = each((file, use) => {
    const why = whyNot(() => use(readFileSync(file)));
    return why === undefined
      ? undefined
      : `${file} cannot be used (${why}): it has to be PEM, a key without a password`;
  });
  if (unusable.length > 0) return unusable;
  return together(code === 'ERR_OSSL_X509_KEY_VALUES_MISMATCH' ? UNLIKE : `cannot be used together (${code})`);
}

const UNLIKE = 'do not belong together';

function isPair(cert: Buffer, key: Buffer): boolean {
  try {
    return new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
  } catch {
    // What a session takes and these do not is left to it.
    return true;
  }
}

function checkQueue({ queue, folder, source }: Config): Problem[] {
  const target = queue === 'embedded' ? undefined : parseRedisUrl(queue);
  if (target === undefined || 'error' in target || target.ca === undefined) return [];
  const reason = whyNoAuthority(path.resolve(folder, target.ca));
  return reason === undefined ? [] : [source.error(['queue'], `\`queue\`: ca=: ${reason}`)];
}

/** The code of the error with which something fails, or its message; undefined when it does not. */
function whyNot(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return codeOf(error) ?? messageOf(error);
  }
}
