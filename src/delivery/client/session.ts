import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { HIDDEN } from '../../config/secrets.js';
import type { SmtpTarget } from '../hop-url.js';
import { ownReply, toHopReply } from '../reply.js';
import { Connection, describe } from './connection.js';
import { HopError, type Stage } from './errors.js';
import { parseExtensions, type Extensions } from './extensions.js';
import type { SmtpReplyLines } from './reply-parser.js';
import { tlsReason } from './tls-reason.js';
import type { Watcher } from './watcher.js';

/** How long each step may take, ms (RFC 5321 4.5.3.2). */
export interface ClientTimeouts {
  readonly connect: number;
  /** Greeting, EHLO, STARTTLS, AUTH. */
  readonly hello: number;
  /** MAIL, RCPT, RSET. */
  readonly command: number;
  /** The answer to DATA, and each block of data. */
  readonly data: number;
  /** The answer to the end of data. */
  readonly end: number;
}

export const TIMEOUTS: ClientTimeouts = {
  connect: 30_000,
  hello: 60_000,
  command: 300_000,
  data: 180_000,
  end: 600_000,
};

export interface SessionOptions {
  /** Our name in EHLO. */
  readonly hostname: string;
  readonly timeouts: ClientTimeouts;
  /** Certificates to trust (PEM). */
  readonly ca?: string;
  /** Sees the dialogue. */
  readonly watcher?: Watcher;
}

/** An SMTP session that is ready for MAIL. */
export interface Session {
  readonly connection: Connection;
  readonly extensions: Extensions;
}

/**
 * Connects and goes through greeting, EHLO, STARTTLS and AUTH.
 * @throws HopError whatever fails: none of it is about a mail
 */
export async function openSession(target: SmtpTarget, options: SessionOptions): Promise<Session> {
  const tls = tlsOptions(target, options.ca);
  let connection: Connection;
  try {
    connection = await Connection.open(
      target.host,
      target.port,
      options.timeouts.connect,
      target.implicitTls ? tls : undefined,
      options.watcher,
    );
  } catch (error) {
    throw new HopError('connect', ownReply(451, '4.4.1', describe(error)), error);
  }
  try {
    const extensions = await greet(connection, target, options, tls);
    return { connection, extensions };
  } catch (error) {
    connection.quit();
    throw error;
  }
}

async function greet(
  connection: Connection,
  target: SmtpTarget,
  options: SessionOptions,
  tls: ConnectionOptions,
): Promise<Extensions> {
  const { hello } = options.timeouts;
  await expectReply(connection, 'greeting', hello, 2);
  const ehlo = async (): Promise<Extensions> =>
    parseExtensions(await ask(connection, 'ehlo', `EHLO ${options.hostname}`, hello, 2));
  let extensions = await ehlo();
  let encrypted = target.implicitTls;
  if (!encrypted && target.tls !== 'off' && extensions.startTls) {
    await ask(connection, 'starttls', 'STARTTLS', hello, 2);
    try {
      await connection.startTls(tls, hello);
    } catch (error) {
      const why = tlsReason(error);
      const text = `the TLS handshake failed${why === '' ? '' : `: ${why}`}`;
      throw new HopError('starttls', ownReply(454, '4.7.0', text), error);
    }
    encrypted = true;
    extensions = await ehlo();
  }
  if (!encrypted && target.tls === 'required')
    throw new HopError('starttls', ownReply(454, '4.7.0', 'the server offers no TLS and it is required'));
  if (target.credentials !== undefined) {
    if (!encrypted && target.tls !== 'off')
      throw new HopError('auth', ownReply(454, '4.7.0', 'the password is not sent without TLS; ?tls=off allows it'));
    await login(connection, target.credentials, extensions.auth, hello);
  }
  return extensions;
}

/** AUTH PLAIN (RFC 4616), or LOGIN where only that is offered. */
async function login(
  connection: Connection,
  { user, password }: { readonly user: string; readonly password: string },
  offered: readonly string[],
  timeout: number,
): Promise<void> {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const plain = base64(`\0${user}\0${password}`);
  const hidden = [plain, base64(password), password];
  if (offered.includes('PLAIN')) {
    const line = `AUTH PLAIN ${plain}`;
    // RFC 4954 4: what makes the command longer than its 512 octets with CRLF (RFC 5321 4.5.3.1.4) follows on its own.
    const long = line.length > 510;
    if (long) await ask(connection, 'auth', 'AUTH PLAIN', timeout, 3);
    await ask(connection, 'auth', long ? plain : line, timeout, 2, hidden);
  } else if (offered.includes('LOGIN')) {
    await ask(connection, 'auth', 'AUTH LOGIN', timeout, 3, hidden);
    await ask(connection, 'auth', base64(user), timeout, 3, hidden);
    await ask(connection, 'auth', base64(password), timeout, 2, hidden);
  } else {
    throw new HopError('auth', ownReply(454, '4.7.0', 'the server offers neither AUTH PLAIN nor LOGIN'));
  }
}

async function ask(
  connection: Connection,
  stage: Stage,
  line: string,
  timeout: number,
  expected: 2 | 3,
  hidden: readonly string[] = [],
): Promise<SmtpReplyLines> {
  await connection.write([`${line}\r\n`], 1, timeout);
  return expectReply(connection, stage, timeout, expected, hidden);
}

/** @param hidden secrets that the server has been told: some repeat in a refusal what they did not take */
async function expectReply(
  connection: Connection,
  stage: Stage,
  timeout: number,
  expected: 2 | 3,
  hidden: readonly string[] = [],
): Promise<SmtpReplyLines> {
  let reply: SmtpReplyLines;
  try {
    reply = await connection.reply(timeout);
  } catch (error) {
    throw new HopError(stage, ownReply(451, '4.4.2', describe(error)), error);
  }
  if (Math.floor(reply.code / 100) !== expected) throw new HopError(stage, toHopReply(without(reply, hidden)));
  return reply;
}

function without(reply: SmtpReplyLines, secrets: readonly string[]): SmtpReplyLines {
  const hide = (line: string): string =>
    secrets.reduce((text, secret) => (secret === '' ? text : text.replaceAll(secret, HIDDEN)), line);
  return { ...reply, lines: reply.lines.map(hide) };
}

function tlsOptions(target: SmtpTarget, ca: string | undefined): ConnectionOptions {
  return {
    minVersion: 'TLSv1.2',
    rejectUnauthorized: target.tls === 'required',
    ...(isIP(target.host) === 0 ? { servername: target.host } : { host: target.host }),
    ...(ca === undefined ? {} : { ca }),
  };
}
