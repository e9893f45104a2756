import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import type { SMTPConnectionOptions } from 'smtp-server/lib/smtp-connection.js';
import type { NetworkSet } from '../config/networks.js';
import { Session } from './session.js';
import type { SessionContext } from './session-context.js';

/** One address that is listened on. */
export class Listener extends SMTPServer {
  /** Sessions whose sockets are not closed yet. */
  readonly sessions = new Set<Session>();
  readonly #context: SessionContext;
  readonly #proxies: NetworkSet;

  constructor(options: SMTPServerOptions, context: SessionContext, proxies: NetworkSet) {
    super(options);
    this.#context = context;
    this.#proxies = proxies;
  }

  override connect(socket: Socket | TLSSocket, options?: SMTPConnectionOptions | null): void {
    const session = new Session(this, socket, options, this.#context);
    this.connections.add(session);
    this.sessions.add(session);
    socket.once('close', () => this.sessions.delete(session));
    session.on('error', (error: Error) => {
      this.#context.log.info({ client: session.client, reason: error.message }, 'session broken off');
    });
    session.init();
  }

  /** Networks are allowed here, which the library's own list does not know. */
  override _expectsProxyHeader(socket: Socket): boolean {
    return this.#proxies.size > 0 && this.#proxies.has(socket.remoteAddress ?? '');
  }

  // The library's own handlers wait for the next turn of the event loop.
  override onConnect(_session: unknown, callback: (error?: Error | null) => void): void {
    callback();
  }

  override onSecure(_socket: unknown, _session: unknown, callback: (error?: Error | null) => void): void {
    callback();
  }
}
