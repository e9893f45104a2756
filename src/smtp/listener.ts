import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import type { SMTPConnectionOptions } from 'smtp-server/lib/smtp-connection.js';
import { canonicalAddress, type NetworkSet } from '../config/networks.js';
import { readProxyLine } from './proxy-line.js';
import { Session } from './session.js';
import type { SessionContext } from './session-context.js';

/** ms for a PROXY line, and for the handshake of a listener that begins with TLS; not more than a command may take. */
const ARRIVAL = 30_000;

type ProxyCallback = Parameters<SMTPServer['_handleProxy']>[1];

/** One address that is listened on. */
export class Listener extends SMTPServer {
  /** Sessions whose sockets are not closed yet. */
  readonly sessions = new Set<Session>();
  /** Those of them that have ended and wait for their clients to close their sides; oldest first. */
  readonly #ended = new Set<Session>();
  readonly #context: SessionContext;
  readonly #proxies: NetworkSet;
  /** Connections whose proxy does not know the client. */
  readonly #unnamed = new WeakSet<SMTPConnectionOptions>();

  constructor(options: SMTPServerOptions, context: SessionContext, proxies: NetworkSet) {
    super(options);
    this.#context = context;
    this.#proxies = proxies;
  }

  override connect(socket: Socket | TLSSocket, options?: SMTPConnectionOptions | null): void {
    // Who has said all may close his side, and is answered: also under TLS (RFC 8446 6.1).
    socket.allowHalfOpen = true;
    const session = new Session(this, socket, options, this.#context);
    // As with an XCLIENT that names no address: that of the proxy is not lent.
    if (options !== undefined && options !== null && this.#unnamed.has(options)) session._xClient.set('ADDR', false);
    this.connections.add(session);
    this.sessions.add(session);
    // Not at the socket: STARTTLS takes all listeners from it.
    session.once('close', () => {
      this.sessions.delete(session);
      this.#ended.delete(session);
    });
    session.on('ended', () => this.#linger(session));
    session.on('error', (error: Error) => {
      this.#context.strangers.info({ client: session.client, reason: error.message }, 'session broken off');
    });
    session.init();
  }

  /** A session that has ended takes no place of its client, but a socket: beyond a number the oldest waits no longer. */
  #linger(session: Session): void {
    this.#ended.add(session);
    if (this.#ended.size <= this.#context.config.smtp.maxConnections) return;
    for (const oldest of this.#ended) {
      this.#ended.delete(oldest);
      oldest.destroy();
      return;
    }
  }

  /**
   * Guards a connection that is no session yet. The library's own guard is set back by each byte and knows no clients:
   * a few could hold all places.
   */
  override _acceptSocket(socket: Socket, handshake: boolean): (() => void) | false {
    const proxied = this._expectsProxyHeader(socket);
    if (!handshake && !proxied) return super._acceptSocket(socket, handshake);
    const address = socket.remoteAddress ?? '';
    const leave = proxied ? () => undefined : this.#context.gate.knock(canonicalAddress(address) ?? address);
    const release = leave === undefined ? false : super._acceptSocket(socket, handshake);
    if (leave === undefined || release === false) {
      leave?.();
      this.#context.counters.refusedSessions += 1;
      socket.on('error', () => undefined);
      socket.destroy();
      return false;
    }
    const time = Math.min(ARRIVAL, this.#context.config.smtp.timeouts.command);
    const timer = setTimeout(() => this._pendingSockets.get(socket)?.destroy(), time).unref();
    const arrived = (): void => {
      clearTimeout(timer);
      leave();
    };
    socket.once('close', arrived);
    return () => {
      arrived();
      release();
    };
  }

  /** Networks are allowed here, which the library's own list does not know. */
  override _expectsProxyHeader(socket: Socket): boolean {
    return this.#proxies.size > 0 && this.#proxies.has(socket.remoteAddress ?? '');
  }

  /** Strictly version 1: the library's own reading takes half a line for one that names no client. */
  override _handleProxy(socket: Socket, callback: ProxyCallback): void {
    if (!this._expectsProxyHeader(socket)) {
      super._handleProxy(socket, callback);
      return;
    }
    readProxyLine(socket, (client) => {
      if (client === undefined) {
        callback(new Error('no PROXY line'));
        return;
      }
      const { address, port } = client;
      const options = {
        id: randomUUID(),
        ...(address === undefined ? {} : { remoteAddress: address }),
        ...(port === undefined ? {} : { remotePort: port }),
      };
      if (address === undefined) this.#unnamed.add(options);
      callback(null, options);
    });
  }

  // The library's own handlers wait for the next turn of the event loop.
  override onConnect(_session: unknown, callback: (error?: Error | null) => void): void {
    callback();
  }

  override onSecure(_socket: unknown, _session: unknown, callback: (error?: Error | null) => void): void {
    callback();
  }
}
