import { Resolver } from 'node:dns/promises';
import { TtlCache } from './dns-cache.js';

/** A look-up failed for now: a time-out, a server that refuses or fails. The message says nothing of the server. */
export class DnsFailure extends Error {
  override readonly name = 'DnsFailure';
}

export interface MailExchange {
  readonly exchange: string;
  readonly priority: number;
}

/**
 * Look-ups that SPF, DKIM and DMARC need. A name that is not there and one without records of the type are the same:
 * an empty list.
 * @throws DnsFailure when there is no answer for now
 */
export interface Dns {
  /** Each record's strings joined (RFC 7208 3.3, RFC 6376 3.6.2.2). */
  txt(name: string): Promise<readonly string[]>;
  addresses(name: string, family: 4 | 6): Promise<readonly string[]>;
  mx(name: string): Promise<readonly MailExchange[]>;
  ptr(name: string): Promise<readonly string[]>;
}

/** One look-up, as node:dns answers it, with the time in seconds that the answer holds where that is known. */
export interface Answer<T> {
  readonly values: readonly T[];
  readonly ttl?: number;
}

const MAX_ENTRIES = 10_000;
const MAX_TTL = 3_600_000;
/** node:dns says the TTL of addresses alone. */
const USUAL_TTL = 300_000;
const NEGATIVE_TTL = 60_000;
/** ms that one try of one server may take, and tries: c-ares lengthens later tries by itself. */
const TRY = 1_500;
const TRIES = 2;

/** Answers, NXDOMAIN and NODATA included; everything else is a failure. */
const VOID: ReadonlySet<string> = new Set(['ENOTFOUND', 'ENODATA']);

/**
 * Asks the given servers (`ADDRESS:PORT`), or those of the system when there are none, and remembers what they said:
 * at most 10,000 answers, addresses for their TTL (an hour at most), others for five minutes, that there is nothing for
 * one. Failures are not remembered. Questions that are on their way are asked once.
 */
export class CachingDns implements Dns {
  readonly #resolver: Resolver;
  readonly #texts: TtlCache<readonly string[]>;
  readonly #exchanges: TtlCache<readonly MailExchange[]>;

  constructor(servers: readonly string[], now: () => number = Date.now) {
    this.#resolver = new Resolver({ timeout: TRY, tries: TRIES });
    if (servers.length > 0) this.#resolver.setServers(servers);
    this.#texts = new TtlCache(MAX_ENTRIES, now);
    this.#exchanges = new TtlCache(MAX_ENTRIES / 10, now);
  }

  async txt(name: string): Promise<readonly string[]> {
    return await this.#ask(this.#texts, `TXT ${name}`, async () => ({
      values: (await this.#resolver.resolveTxt(name)).map((strings) => strings.join('')),
    }));
  }

  async addresses(name: string, family: 4 | 6): Promise<readonly string[]> {
    return await this.#ask(this.#texts, `${family} ${name}`, async () => {
      const records =
        family === 4
          ? await this.#resolver.resolve4(name, { ttl: true })
          : await this.#resolver.resolve6(name, { ttl: true });
      return {
        values: records.map((record) => record.address),
        ttl: Math.min(...records.map((record) => record.ttl)),
      };
    });
  }

  async mx(name: string): Promise<readonly MailExchange[]> {
    return await this.#ask(this.#exchanges, `MX ${name}`, async () => ({
      values: await this.#resolver.resolveMx(name),
    }));
  }

  async ptr(name: string): Promise<readonly string[]> {
    return await this.#ask(this.#texts, `PTR ${name}`, async () => ({ values: await this.#resolver.resolvePtr(name) }));
  }

  /** Whether a server answers at all, whatever it says. @throws DnsFailure when none does */
  async probe(): Promise<void> {
    await this.#answer(async () => ({ values: await this.#resolver.resolve4('gatepost.invalid') }));
  }

  /** Ends what is on its way; it fails. */
  close(): void {
    this.#resolver.cancel();
  }

  async #ask<T>(cache: TtlCache<readonly T[]>, key: string, look: () => Promise<Answer<T>>): Promise<readonly T[]> {
    return await cache.get(key.toLowerCase(), async () => {
      const { values, ttl } = await this.#answer(look);
      if (values.length === 0) return { value: values, ttl: NEGATIVE_TTL };
      return { value: values, ttl: ttl === undefined ? USUAL_TTL : Math.min(ttl * 1000, MAX_TTL) };
    });
  }

  async #answer<T>(look: () => Promise<Answer<T>>): Promise<Answer<T>> {
    try {
      return await look();
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : '';
      if (VOID.has(code)) return { values: [] };
      throw new DnsFailure(`the look-up failed${/^E[A-Z]{3,20}$/.test(code) ? ` (${code})` : ''}`, { cause: error });
    }
  }
}

/**
 * The same look-ups within bounds for one message: at most so many of them, and none after the time is over or the
 * signal aborted, so that a DNS that stalls makes a temporary error and not a message that hangs.
 */
export function boundedDns(
  dns: Dns,
  bounds: { readonly milliseconds: number; readonly lookups: number; readonly signal: AbortSignal },
): Dns {
  const over = AbortSignal.any([AbortSignal.timeout(bounds.milliseconds), bounds.signal]);
  let left = bounds.lookups;
  const bound = async <T>(look: () => Promise<T>): Promise<T> => {
    if (over.aborted) throw new DnsFailure('the time for look-ups is over');
    if (left <= 0) throw new DnsFailure('the message needs too many look-ups');
    left -= 1;
    let stop: (() => void) | undefined;
    const late = new Promise<never>((_, reject) => {
      stop = () => reject(new DnsFailure('the time for look-ups is over'));
      over.addEventListener('abort', stop);
    });
    try {
      return await Promise.race([look(), late]);
    } finally {
      if (stop !== undefined) over.removeEventListener('abort', stop);
    }
  };
  return {
    txt: async (name) => await bound(async () => await dns.txt(name)),
    addresses: async (name, family) => await bound(async () => await dns.addresses(name, family)),
    mx: async (name) => await bound(async () => await dns.mx(name)),
    ptr: async (name) => await bound(async () => await dns.ptr(name)),
  };
}
