import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, TLSSocket, type ConnectionOptions } from 'node:tls';
import { codeOf } from '../../store/errors.js';
import { ProtocolError, ReplyParser, type SmtpReplyLines } from './reply-parser.js';
import type { Watcher } from './watcher.js';

/** The connection is gone, or the server did not answer in time. */
export class ConnectionLostError extends Error {
  override readonly name = 'ConnectionLostError';
}

/**
 * How long one address of a host may take while there are others, ms (RFC 5321 5.1). Node's 250 are too few for a server far
 * away, and for one whose first answer got lost: that is asked for again after a second (RFC 6298 2).
 */
const ADDRESS_TIMEOUT = 3000;

interface Waiter {
  readonly resolve: (reply: SmtpReplyLines) => void;
  readonly reject: (error: Error) => void;
}

/** A client's end of an SMTP connection: writes bytes, hands out replies in their order. Knows nothing of mail. */
export class Connection {
  #socket: Socket;
  #parser = new ReplyParser();
  #waiters: Waiter[] = [];
  #early: SmtpReplyLines[] = [];
  /** Replies that are due: the greeting, then one for each command written. */
  #due = 1;
  #lost: Error | undefined;
  #onLost: (() => void) | undefined;
  readonly #watcher: Watcher | undefined;

  private constructor(socket: Socket, watcher?: Watcher) {
    this.#socket = socket;
    this.#watcher = watcher;
    this.#listen();
  }

  /**
   * Connects.
   * @param tls for TLS from the first byte
   * @param timeout ms, for TCP and TLS together
   * @param watcher sees what goes over it
   * @throws Error of the socket, or ConnectionLostError after the time
   */
  static async open(
    host: string,
    port: number,
    timeout: number,
    tls?: ConnectionOptions,
    watcher?: Watcher,
  ): Promise<Connection> {
    const place = { host, port, autoSelectFamilyAttemptTimeout: ADDRESS_TIMEOUT };
    const socket =
      tls === undefined ? connectTcp({ ...place, noDelay: true, keepAlive: true }) : connectTls({ ...tls, ...place });
    await ready(socket, tls === undefined ? 'connect' : 'secureConnect', timeout);
    socket.setNoDelay(true);
    watcher?.connected(`${socket.remoteAddress ?? host}:${port}`);
    tellSecured(socket, watcher);
    return new Connection(socket, watcher);
  }

  /** Why the connection is of no more use; undefined while it is. */
  get lost(): Error | undefined {
    return this.#lost;
  }

  /** Whether it is good for a next command: nothing is due, and the server said nothing that nobody asked for. */
  get idle(): boolean {
    return this.#lost === undefined && this.#due === 0 && this.#early.length === 0 && !this.#parser.inside;
  }

  /** Called once, when the connection is lost or closed. */
  onLost(listener: () => void): void {
    this.#onLost = listener;
  }

  /** Keeps the process alive only while the connection is in use. */
  hold(inUse: boolean): void {
    if (inUse) this.#socket.ref();
    else this.#socket.unref();
  }

  /**
   * Writes the pieces as one; resolves when the socket takes more. Losing the connection is told by the replies.
   * @param replies how many replies the server owes for it
   * @param timeout ms for the server to take it
   */
  async write(pieces: readonly (Buffer | string)[], replies: number, timeout: number): Promise<void> {
    if (this.#lost !== undefined) return;
    this.#due += replies;
    const socket = this.#socket;
    for (const piece of pieces) this.#watcher?.sent(Buffer.from(piece));
    let room = true;
    if (pieces.length > 1) socket.cork();
    for (const piece of pieces) room = socket.write(piece);
    if (pieces.length > 1) socket.uncork();
    if (!room && socket.writableNeedDrain) await this.#drained(timeout);
  }

  /**
   * The next reply.
   * @param timeout ms
   * @throws ConnectionLostError, ProtocolError
   */
  reply(timeout: number): Promise<SmtpReplyLines> {
    const early = this.#early.shift();
    if (early !== undefined) return Promise.resolve(early);
    if (this.#lost !== undefined) return Promise.reject(this.#lost);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => this.destroy(new ConnectionLostError('the server did not answer in time')),
        timeout,
      );
      this.#waiters.push({
        resolve: (reply) => {
          clearTimeout(timer);
          resolve(reply);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      });
    });
  }

  /** A reply that came although none is due. */
  takeUnasked(): SmtpReplyLines | undefined {
    return this.#due < 0 ? this.#early.shift() : undefined;
  }

  /**
   * Goes over to TLS after the reply to STARTTLS.
   * @throws ProtocolError when the server sent more than that reply in clear (RFC 3207 6); Error of the handshake
   */
  async startTls(options: ConnectionOptions, timeout: number): Promise<void> {
    if (!this.idle) throw new ProtocolError('the server sent text between STARTTLS and the handshake');
    const plain = this.#socket;
    plain.removeAllListeners();
    const socket = connectTls({ ...options, socket: plain });
    this.#socket = socket;
    try {
      await ready(socket, 'secureConnect', timeout);
    } catch (error) {
      this.#fail(new ConnectionLostError('the TLS handshake failed', { cause: error }));
      throw error;
    }
    tellSecured(socket, this.#watcher);
    this.#parser = new ReplyParser();
    this.#listen();
  }

  /** Ends the connection at once. */
  destroy(error: Error = new ConnectionLostError('the connection was closed')): void {
    this.#fail(error);
  }

  /** Says QUIT and ends without waiting for the answer for longer than a second. */
  quit(): void {
    if (this.#lost !== undefined) return;
    const socket = this.#socket;
    this.#fail(new ConnectionLostError('the connection was closed'), false);
    socket.end('QUIT\r\n');
    socket.setTimeout(1000, () => socket.destroy());
    socket.unref();
  }

  #listen(): void {
    const socket = this.#socket;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('error', (error) => this.#fail(new ConnectionLostError(describe(error), { cause: error })));
    socket.on('end', () => this.#fail(new ConnectionLostError('the server closed the connection')));
    socket.on('close', () => this.#fail(new ConnectionLostError('the server closed the connection')));
  }

  #take(chunk: Buffer): void {
    if (this.#lost !== undefined) return;
    try {
      for (const reply of this.#parser.push(chunk)) {
        this.#due -= 1;
        this.#watcher?.received(reply);
        // One may come that is not due: 421 before closing, or a refusal in the middle of the data.
        if (this.#due < -1) throw new ProtocolError('the server answers what nobody asked');
        const waiter = this.#waiters.shift();
        if (waiter === undefined) this.#early.push(reply);
        else waiter.resolve(reply);
      }
    } catch (error) {
      this.#fail(error instanceof Error ? error : new ProtocolError('the reply could not be read'));
    }
  }

  #fail(error: Error, destroy = true): void {
    if (this.#lost !== undefined) return;
    this.#lost = error;
    if (destroy) this.#socket.destroy();
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter.reject(error);
    this.#onLost?.();
  }

  #drained(timeout: number): Promise<void> {
    const socket = this.#socket;
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        socket.off('drain', done);
        socket.off('close', done);
        resolve();
      };
      const timer = setTimeout(() => this.destroy(new ConnectionLostError('the server takes no data')), timeout);
      socket.on('drain', done);
      socket.on('close', done);
    });
  }
}

/** Resolves at the event; the socket is destroyed on error and after the time. */
function ready(socket: Socket, event: 'connect' | 'secureConnect', timeout: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => fail(new ConnectionLostError('the server did not answer in time')), timeout);
    const clear = (): void => {
      clearTimeout(timer);
      socket.off(event, succeed);
      socket.off('error', fail);
      socket.off('close', closed);
    };
    const succeed = (): void => {
      clear();
      resolve();
    };
    const fail = (error: Error): void => {
      clear();
      // What a destroyed socket still has to say is of no interest.
      socket.on('error', () => undefined);
      socket.destroy();
      reject(error);
    };
    const closed = (): void => fail(new ConnectionLostError('the server closed the connection'));
    socket.on(event, succeed);
    socket.on('error', fail);
    socket.on('close', closed);
  });
}

/** A socket's error in words without addresses of this machine. */
export function describe(error: unknown): string {
  if (error instanceof ConnectionLostError || error instanceof ProtocolError) return error.message;
  const code = codeOf(error);
  return WORDS[code ?? ''] ?? (code === undefined ? 'the connection failed' : `the connection failed (${code})`);
}

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the server refuses connections',
  ECONNRESET: 'the server closed the connection',
  EPIPE: 'the server closed the connection',
  ETIMEDOUT: 'the server did not answer in time',
  ENOTFOUND: 'the host name is not known',
  EAI_AGAIN: 'the host name could not be looked up',
  EHOSTUNREACH: 'the server cannot be reached',
  ENETUNREACH: 'the server cannot be reached',
};

function tellSecured(socket: Socket, watcher: Watcher | undefined): void {
  if (watcher === undefined || !(socket instanceof TLSSocket)) return;
  const { authorized, authorizationError } = socket;
  watcher.secured({
    protocol: socket.getProtocol() ?? 'TLS',
    cipher: socket.getCipher().name,
    ...(authorized ? {} : { unverified: String(authorizationError) }),
  });
}
