import type { Socket } from 'node:net';
import { SMTPConnection } from 'smtp-server/lib/smtp-connection.js';

/**
 * smtp-server's connection, with its sockets let go of as soon as they are of no use. Emits `ended` when all has been said
 * and only the client's side is still to be closed.
 */
export class Connection extends SMTPConnection {
  /** The upper socket, from STARTTLS on; until its handshake is over `_socket` is the one below. */
  #secured: Socket | undefined;

  /** Ends it whatever is going on. The upper socket: one below a handshake must not be pulled away. */
  destroy(): void {
    (this.#secured ?? this._socket).destroy();
  }

  /** In the middle of a handshake there is nothing to be said, and no end of the client's side to wait for. */
  override close(): void {
    if (this._upgrading) this.destroy();
    if (!this._closing && !this._closed) this.emit('ended');
    super.close();
  }

  /** Called for the upper socket where STARTTLS puts it in place; nothing else tells of it. */
  override _armTimeout(socket: Socket = this._socket): void {
    super._armTimeout(socket);
    if (!this._upgrading || socket === this._socket) return;
    this.#secured = socket;
    // Half-closed sockets are borne for clients that have said all, which this one has not.
    socket.once('end', () => {
      if (this._upgrading) this.destroy();
    });
  }

  /**
   * The client behind a proxy has the login that is named with it, and else none: not the one of before. The library
   * forgets that only where the proxy knows an address.
   */
  override handler_XCLIENT(command: Buffer, callback: () => void): void {
    const allowed = this._proxyCommandAllowed('XCLIENT', 'useXClient') && this.session.envelope.mailFrom === false;
    if (allowed && /\s(?:ADDR|LOGIN)=/i.test(command.toString('latin1'))) this.session.user = false;
    super.handler_XCLIENT(command, callback);
  }
}
