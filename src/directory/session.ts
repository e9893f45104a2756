import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { Client, type Entry } from 'ldapts';
import { inTime } from '../config/in-time.js';
import type { DirectorySettings } from '../config/schema-directory.js';
import { DirectoryError, toDirectoryError } from './errors.js';

export type ConnectionSettings = Pick<DirectorySettings, 'url' | 'startTls' | 'ca' | 'bind' | 'timeout' | 'pageSize'>;

/** A connection to one of the servers, logged in. */
export interface DirectorySession {
  /** @throws DirectoryError `absent` when there is no such entry */
  readEntry(dn: string, attributes: readonly string[]): Promise<Entry>;
  /** Entries below a base, page by page. @throws DirectoryError */
  search(base: string, filter: string, attributes: readonly string[]): AsyncIterable<readonly Entry[]>;
  close(): Promise<void>;
}

/**
 * Connects to the first server that answers, and logs in.
 * @throws DirectoryError `unreachable` when none does, `refused` when the login is wrong: the others are not asked then,
 * so that a wrong password does not lock an account
 */
export async function openSession(settings: ConnectionSettings): Promise<DirectorySession> {
  const failures: string[] = [];
  const ca = settings.ca === undefined ? undefined : await readCa(settings.ca);
  for (const url of settings.url) {
    try {
      return await openAt(url, ca, settings);
    } catch (error) {
      if (error instanceof DirectoryError && error.kind === 'refused') throw error;
      failures.push(error instanceof Error ? error.message : 'unknown error');
    }
  }
  throw new DirectoryError('unreachable', failures.join('; '));
}

async function readCa(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch {
    throw new DirectoryError('unreachable', `the certificates of \`directory.ca\` cannot be read`);
  }
}

async function openAt(url: string, ca: Buffer | undefined, settings: ConnectionSettings): Promise<DirectorySession> {
  const { timeout, bind, startTls } = settings;
  const secure = url.startsWith('ldaps:');
  const host = new URL(url).hostname;
  const tls = {
    ...(ca === undefined ? {} : { ca }),
    host,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    minVersion: 'TLSv1.2' as const,
  };
  const client = new Client({ url, timeout, connectTimeout: timeout, ...(secure ? { tlsOptions: tls } : {}) });
  try {
    if (startTls) await inTime(timeout, client.startTLS(tls));
    if (bind !== undefined) await inTime(timeout, client.bind(bind.dn, bind.password));
    // Without a login the first search connects: one that every server answers, its root (RFC 4512 5.1).
    else await inTime(timeout, client.search('', { scope: 'base', attributes: ['1.1'] }));
  } catch (error) {
    await close(client);
    throw toDirectoryError(error, url, isRefusal(error) ? 'refused' : 'unreachable');
  }
  return new Session(client, settings);
}

const REFUSALS: readonly unknown[] = [7, 8, 13, 48, 49, 50, 53];

function isRefusal(error: unknown): boolean {
  return error instanceof Error && 'code' in error && REFUSALS.includes(error.code);
}

class Session implements DirectorySession {
  readonly #client: Client;
  readonly #settings: ConnectionSettings;

  constructor(client: Client, settings: ConnectionSettings) {
    this.#client = client;
    this.#settings = settings;
  }

  async readEntry(dn: string, attributes: readonly string[]): Promise<Entry> {
    this.#mustBeConnected();
    let found;
    try {
      found = await this.#client.search(dn, { scope: 'base', attributes: [...attributes] });
    } catch (error) {
      throw this.#wrap(error, show(dn));
    }
    const [entry] = found.searchEntries;
    if (entry === undefined) throw new DirectoryError('absent', `${show(dn)}: there is no such entry`);
    return entry;
  }

  async *search(base: string, filter: string, attributes: readonly string[]): AsyncIterable<readonly Entry[]> {
    this.#mustBeConnected();
    const { pageSize } = this.#settings;
    const pages = this.#client.searchPaginated(base, {
      scope: 'sub',
      filter,
      attributes: [...attributes],
      paged: { pageSize },
    });
    try {
      for await (const { searchEntries } of pages) yield searchEntries;
    } catch (error) {
      throw this.#wrap(error, show(filter));
    }
  }

  async close(): Promise<void> {
    await close(this.#client);
  }

  /** The library would connect again by itself, without login and TLS: what it then finds is not what we may see. */
  #mustBeConnected(): void {
    if (!this.#client.isConnected) throw new DirectoryError('unreachable', 'the connection was lost');
  }

  /** A connection that is gone in the middle is the server's failure and not that of the group. */
  #wrap(error: unknown, doing: string): DirectoryError {
    return toDirectoryError(error, doing, this.#client.isConnected ? 'failed' : 'unreachable');
  }
}

function show(text: string): string {
  return text.length > 120 ? `${text.slice(0, 120)}...` : text;
}

/** Ends a connection; one that has ended already is as good. */
async function close(client: Client): Promise<void> {
  await Promise.allSettled([inTime(1_000, client.unbind())]);
}
