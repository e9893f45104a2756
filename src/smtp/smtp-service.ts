import cluster from 'node:cluster';
import { mkdir, readFile } from 'node:fs/promises';
import type { AddressInfo, ServerOpts } from 'node:net';
import { createSecureContext } from 'node:tls';
import type { SMTPServerOptions } from 'smtp-server';
import { cannotListen, shownAddress } from '../config/listening.js';
import type { Config } from '../config/load.js';
import { networkSet } from '../config/networks.js';
import type { NoticeReporter } from '../notifications/notices.js';
import { messageOf } from '../store/errors.js';
import type { Log } from '../telemetry/log.js';
import { authenticator, LOGIN_FAILURES, type Logins } from './authenticator.js';
import { ClientRate } from './client-rate.js';
import { Gate } from './gate.js';
import { inheritedSockets } from './inherited.js';
import { writtenBy } from './header-scan.js';
import { Listener } from './listener.js';
import { MemoryBudget } from './memory-budget.js';
import { RelayPolicy } from './relay.js';
import { newCounters, type SessionContext, type SmtpCounters } from './session-context.js';
import { StrangerLog } from './stranger-log.js';
import type { MessageHandler } from './types.js';
import { removeLeftovers } from './upload-file.js';
import { Users } from './users.js';

/** Bytes that all messages together may hold in memory on their way in, header blocks up to 64 KiB apart; more go to files. */
const MEMORY_LIMIT = 32 * 2 ** 20;
/** ms over which `smtp.minimumRate` is measured. */
const RATE_WINDOW = 60_000;
/** ms that the answer to a wrong password is held back, for each one so far. */
const LOGIN_DELAY = 500;
/** ms that a client has to close its side after our last reply. */
const LINGER = 1000;

export interface SmtpAddress {
  readonly host: string;
  readonly port: number;
  readonly implicitTls: boolean;
}

export interface SmtpOptions {
  readonly config: Config;
  readonly handler: MessageHandler;
  readonly log: Log;
  /** Where the admins are told of sessions that went wrong. */
  readonly notices?: NoticeReporter;
  /** Folder for large uploads, made if it is not there; this service's own. */
  readonly spoolFolder: string;
  /** ms over which `smtp.minimumRate` is measured; a minute unless told. */
  readonly rateWindow?: number;
  /** ms that the answer to a wrong password is held back, for each one so far; 500 unless told. */
  readonly loginDelay?: number;
}

export interface SmtpService {
  /** Where it listens, with the real ports. */
  readonly addresses: readonly SmtpAddress[];
  readonly counters: Readonly<SmtpCounters>;
  /** Sessions that are open now, or have left while their message is still being handled. */
  readonly sessions: number;
  /**
   * Reads what a changed configuration means for sessions: domains, trusted clients, certificate and key.
   * @returns what puts it in force, for sessions that come and for what open ones do next; it cannot fail
   * @throws SmtpStartError when a certificate or key cannot be used
   */
  prepare(config: Config): Promise<() => void>;
  /**
   * Stops: new sessions and idle ones get 421, those whose message is coming in or being handled may finish within
   * `smtp.timeouts.stop`. Resolves when all sockets are closed. Calling it again returns the same promise.
   */
  close(): Promise<void>;
}

/** It cannot listen, or a certificate or user file cannot be read. The message is for the admin. */
export class SmtpStartError extends Error {
  override readonly name = 'SmtpStartError';
}

/**
 * Starts to take mail in.
 * @throws SmtpStartError
 */
export async function startSmtp(options: SmtpOptions): Promise<SmtpService> {
  const { config, handler, log, spoolFolder } = options;
  const { smtp } = config;
  await mkdir(spoolFolder, { recursive: true, mode: 0o700 });
  const leftovers = await removeLeftovers(spoolFolder);
  const strangers = new StrangerLog(log);
  if (leftovers > 0) log.info({ leftovers }, 'uploads that were never finished are removed');
  const tls = await readTls(config);
  const users = smtp.auth === undefined ? undefined : new Users(smtp.auth.users);
  const counters = newCounters();
  const gate = new Gate(smtp.maxConnections, smtp.maxConnectionsPerClient);
  const relay = new RelayPolicy(config.domains, config.trusted);
  const { connections, messages } = smtp.rates;
  const context: SessionContext = {
    config,
    relay,
    gate,
    handler,
    intake: {
      lineEndings: smtp.lineEndings,
      maxMessageSize: smtp.maxMessageSize,
      maxReceived: smtp.maxReceived,
      writtenHere: writtenBy(smtp.hostname),
      spoolFolder,
      budget: new MemoryBudget(MEMORY_LIMIT),
    },
    ...(users === undefined ? {} : { users }),
    tlsOffered: tls !== undefined,
    xclient: networkSet(smtp.xclient),
    rates: {
      ...(connections === 'off' ? {} : { connections: new ClientRate(connections) }),
      ...(messages === 'off' ? {} : { messages: new ClientRate(messages) }),
    },
    rateWindow: options.rateWindow ?? RATE_WINDOW,
    ...(options.notices === undefined ? {} : { notices: options.notices }),
    log,
    strangers,
    counters,
  };
  const logins: Logins = {
    ...(users === undefined ? {} : { users }),
    failures: new ClientRate(LOGIN_FAILURES),
    trusts: (client) => relay.trusts(client),
    delay: options.loginDelay ?? LOGIN_DELAY,
    log,
    strangers,
  };
  const proxies = networkSet(smtp.proxyProtocol);
  const listeners: Listener[] = [];
  const addresses: SmtpAddress[] = [];
  const sockets = inheritedSockets(process.env, cluster.isWorker ? process.ppid : process.pid);
  if (sockets.length > 0 && sockets.length !== smtp.listen.length) {
    const text = `the service manager hands over ${sockets.length} sockets, and \`smtp.listen\` names ${smtp.listen.length} addresses`;
    throw new SmtpStartError(`${text}: there has to be one for each, in the same order`);
  }
  try {
    for (const [i, address] of smtp.listen.entries()) {
      if (address.implicitTls && tls === undefined) {
        throw new SmtpStartError(`listening on ${shownAddress(address)} needs \`smtp.tls\``);
      }
      const listener = makeListener(address, config, context, tls, proxies, logins);
      const port = await listen(listener, address, sockets[i], strangers);
      listeners.push(listener);
      addresses.push({ ...address, port });
    }
  } catch (error) {
    await Promise.all(listeners.map((listener) => closeListener(listener)));
    throw error;
  }
  let closing: Promise<void> | undefined;
  return {
    addresses,
    counters,
    get sessions() {
      return gate.sessions;
    },
    prepare: async (wanted) => await prepareChange(wanted, context.relay, listeners),
    close: () => (closing ??= stop(listeners, gate, smtp.timeouts.stop, sockets.length > 0 || cluster.isWorker)),
  };
}

function makeListener(
  address: SmtpAddress,
  config: Config,
  context: SessionContext,
  tls: TlsFiles | undefined,
  proxies: ReturnType<typeof networkSet>,
  logins: Logins,
): Listener {
  const { smtp } = config;
  const options: SMTPServerOptions & Pick<ServerOpts, 'allowHalfOpen'> = {
    // Not in the middle of a handshake: who leaves there is gone.
    allowHalfOpen: !address.implicitTls,
    name: smtp.hostname,
    secure: address.implicitTls,
    logger: false,
    authOptional: true,
    authMethods: ['PLAIN', 'LOGIN'],
    disabledCommands: [
      ...['WIZ', 'SHELL', 'KILL', 'XFORWARD'],
      ...(tls === undefined ? ['STARTTLS'] : []),
      ...(logins.users === undefined ? ['AUTH'] : []),
    ],
    hideENHANCEDSTATUSCODES: false,
    disableReverseLookup: true,
    socketTimeout: smtp.timeouts.command,
    // Here it bounds only the sockets that wait for a PROXY line or a TLS handshake.
    maxClients: smtp.maxConnections,
    minVersion: 'TLSv1.2',
    onAuth: authenticator(logins),
    ...tls,
  };
  try {
    return new Listener(options, context, proxies);
  } catch (cause) {
    throw new SmtpStartError(`\`smtp.tls\`: certificate and key cannot be used: ${messageOf(cause)}`, { cause });
  }
}

/** @param socket file descriptor of a socket that listens already @param strangers told of connections that fail, from then on */
function listen(
  listener: Listener,
  address: SmtpAddress,
  socket: number | undefined,
  strangers: StrangerLog,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const failed = (cause: Error): void => {
      reject(new SmtpStartError(`\`smtp.listen\`: ${cannotListen(address, cause)}`, { cause }));
    };
    // Told of all errors of its server and of connections, of which there are none before it listens.
    let told = failed;
    listener.on('error', (error: Error) => told(error));
    const listening = (): void => {
      told = ({ message }) => strangers.info({ reason: message }, 'connection broken off');
      const bound: AddressInfo | string | null = listener.server.address();
      const port = bound === null || typeof bound === 'string' ? address.port : bound.port;
      if (address.port === 0 || port === address.port) resolve(port);
      else {
        const shown = shownAddress(address);
        reject(new SmtpStartError(`the socket of the service manager is on port ${port}, not on ${shown}`));
      }
    };
    if (socket === undefined) listener.listen(address.port, address.host, listening);
    else listener.server.listen({ fd: socket }, listening);
  });
}

/**
 * @param patience ms for running sessions
 * @param inherited the sockets stay open with the service manager, or with the other processes: who connects now waits
 *   for the next gateway, or is another's, instead of being told to come back
 */
async function stop(listeners: readonly Listener[], gate: Gate, patience: number, inherited: boolean): Promise<void> {
  gate.stopping = true;
  if (inherited) for (const listener of listeners) listener.server.close();
  for (const session of allSessions(listeners)) session.shutDown();
  await waitUntil(() => gate.sessions === 0 && gate.handling === 0, patience);
  await waitUntil(() => allSessions(listeners).length === 0, LINGER);
  for (const session of allSessions(listeners)) session.destroy();
  await Promise.all(listeners.map((listener) => closeListener(listener)));
}

function allSessions(listeners: readonly Listener[]): readonly Session[] {
  return listeners.flatMap((listener) => [...listener.sessions]);
}

type Session = Listener['sessions'] extends Set<infer S> ? S : never;

function closeListener(listener: Listener): Promise<void> {
  return new Promise((resolve) => listener.close(() => resolve()));
}

/** Resolves when the condition holds, or after the time (ms). */
function waitUntil(condition: () => boolean, time: number): Promise<void> {
  return new Promise((resolve) => {
    const deadline = Date.now() + time;
    const look = (): void => {
      if (condition() || Date.now() >= deadline) resolve();
      else setTimeout(look, 20);
    };
    look();
  });
}

interface TlsFiles {
  readonly cert: string;
  readonly key: string;
}

async function readTls({ smtp: { tls } }: Config): Promise<TlsFiles | undefined> {
  if (tls === undefined) return undefined;
  return {
    cert: await readKeyFile('smtp.tls.cert', tls.cert),
    key: await readKeyFile('smtp.tls.key', tls.key),
  };
}

async function prepareChange(config: Config, relay: RelayPolicy, listeners: readonly Listener[]): Promise<() => void> {
  const tls = await readTls(config);
  try {
    if (tls !== undefined) createSecureContext({ ...tls });
  } catch (cause) {
    throw new SmtpStartError(`\`smtp.tls\`: certificate and key cannot be used: ${messageOf(cause)}`, { cause });
  }
  return () => {
    relay.change(config.domains, config.trusted);
    if (tls !== undefined) for (const listener of listeners) listener.updateSecureContext(tls);
  };
}

async function readKeyFile(key: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new SmtpStartError(`\`${key}\` cannot be read: ${messageOf(cause)}`, { cause });
  }
}
