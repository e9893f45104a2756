import type { SmtpReplyLines } from './reply-parser.js';

/** What a server offers in its answer to EHLO. */
export interface Extensions {
  readonly pipelining: boolean;
  readonly startTls: boolean;
  readonly eightBitMime: boolean;
  readonly smtpUtf8: boolean;
  readonly dsn: boolean;
  /** SIZE was offered (RFC 1870). */
  readonly size: boolean;
  /** Largest message in bytes; absent when the server names none. */
  readonly maxSize?: number;
  /** Mechanisms of AUTH in upper case. */
  readonly auth: readonly string[];
}

/** Reads the answer to EHLO (RFC 5321 4.1.1.1). */
export function parseExtensions(reply: SmtpReplyLines): Extensions {
  const offered = new Map<string, string>();
  for (const line of reply.lines.slice(1)) {
    const [keyword = '', ...parameters] = line.trim().split(/[\s=]+/);
    offered.set(keyword.toUpperCase(), parameters.join(' '));
  }
  const maxSize = Number(offered.get('SIZE') ?? 0);
  return {
    pipelining: offered.has('PIPELINING'),
    startTls: offered.has('STARTTLS'),
    eightBitMime: offered.has('8BITMIME'),
    smtpUtf8: offered.has('SMTPUTF8'),
    dsn: offered.has('DSN'),
    size: offered.has('SIZE'),
    ...(Number.isSafeInteger(maxSize) && maxSize > 0 ? { maxSize } : {}),
    auth: (offered.get('AUTH') ?? '')
      .toUpperCase()
      .split(' ')
      .filter((name) => name !== ''),
  };
}
