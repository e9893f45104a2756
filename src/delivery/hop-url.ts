import path from 'node:path';
import { domainToASCII } from 'node:url';

/** How a hop's TLS is used: `required` verifies the certificate, `opportunistic` encrypts where it is offered. */
export type TlsMode = 'required' | 'opportunistic' | 'off';

export interface SmtpTarget {
  readonly kind: 'smtp';
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte (RFC 8314). */
  readonly implicitTls: boolean;
  readonly tls: TlsMode;
  /** File with the certificates to trust instead of the system's. */
  readonly ca?: string;
  readonly credentials?: { readonly user: string; readonly password: string };
  readonly name: string;
}

export interface MaildirTarget {
  readonly kind: 'maildir';
  readonly folder: string;
  readonly name: string;
}

export type HopTarget = SmtpTarget | MaildirTarget;

/** A next hop in the configuration or a rule is wrong. The message is for people and has no secrets. */
export class HopUrlError extends Error {
  override readonly name = 'HopUrlError';
}

/**
 * Reads `maildir:FOLDER`, `smtp://host:port` or `smtps://host:port`, with `user:password@` and `?tls=`, `?ca=`.
 * @param folder what relative paths count from
 * @throws HopUrlError
 */
export function parseHopUrl(text: string, folder: string = process.cwd()): HopTarget {
  const maildir = /^maildir:(?:\/\/(?=\/))?(.+)$/s.exec(text)?.[1];
  if (maildir !== undefined)
    return { kind: 'maildir', folder: path.resolve(folder, maildir), name: `maildir:${maildir}` };
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'smtp:' && url.protocol !== 'smtps:'))
    throw new HopUrlError(
      'a next hop is written as maildir:./folder, smtp://host:25 or smtps://user:password@host:465',
    );
  return smtpTarget(url, folder);
}

function smtpTarget(url: URL, folder: string): SmtpTarget {
  const host = hostOf(url);
  const implicitTls = url.protocol === 'smtps:';
  const port = url.port === '' ? (implicitTls ? 465 : 25) : Number(url.port);
  if (host === '') throw new HopUrlError('a next hop needs a host name');
  if (port === 0) throw new HopUrlError('a next hop needs a port between 1 and 65535');
  if (url.pathname !== '' && url.pathname !== '/') throw new HopUrlError('a next hop has no path behind the port');
  const keys = [...url.searchParams.keys()];
  if (url.hash !== '' || keys.some((key) => key.includes('@')))
    throw new HopUrlError('user name or password of a next hop: write # as %23 and ? as %3F');
  for (const key of keys)
    if (key !== 'tls' && key !== 'ca') throw new HopUrlError(`a next hop takes ?tls= and ?ca=, not ?${key}=`);
  const ca = url.searchParams.get('ca');
  const tls = tlsMode(url.searchParams.get('tls'), ca !== null);
  if (implicitTls && tls === 'off') throw new HopUrlError('smtps:// cannot go with tls=off');
  if (ca !== null && tls !== 'required') throw new HopUrlError('ca= is used with tls=required only');
  const name = `${url.protocol}//${host.includes(':') ? `[${host}]` : host}:${port}`;
  return {
    kind: 'smtp',
    host,
    port,
    implicitTls,
    tls,
    name,
    ...(ca === null ? {} : { ca: path.resolve(folder, ca) }),
    ...(url.username === '' ? {} : { credentials: { user: decode(url.username), password: decode(url.password) } }),
  };
}

/** A name beyond ASCII, which the URL has with percent signs, is looked up by its A-labels (RFC 5891 4.4). */
function hostOf({ hostname }: URL): string {
  if (hostname.includes('%')) return domainToASCII(decode(hostname));
  return hostname.replace(/^\[(.*)\]$/, '$1');
}

/** Naming the certificates to trust asks for verification. */
function tlsMode(text: string | null, hasCa: boolean): TlsMode {
  if (text === null) return hasCa ? 'required' : 'opportunistic';
  if (text === 'required' || text === 'opportunistic' || text === 'off') return text;
  throw new HopUrlError('tls= is required, opportunistic or off');
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new HopUrlError('user name or password of a next hop: write a percent sign as %25');
  }
}
