import { connect, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { DetectorError } from '../failure.js';
import type { ClamdAddress } from './address.js';

/** Bytes of one chunk of a stream. */
const CHUNK = 64 * 1024;
/** More than any verdict has, with the longest threat name. */
const MAX_REPLY = 4096;
const CONNECT_TIMEOUT = 5_000;
/** ms that an idle session is kept; clamd itself ends one after 30 s (clamd.conf IdleTimeout). */
const KEEP_IDLE = 15_000;

/** Nobody takes connections there, or not in time. */
export class UnreachableError extends DetectorError {}
/** The connection has ended before the answer. */
export class LostError extends DetectorError {}

interface Reading {
  readonly resolve: (reply: string) => void;
  readonly reject: (error: Error) => void;
}

/**
 * One connection to a clamd: commands in clamd's `z` form, each ended by NUL and so its reply. One command at a time.
 * In a session (IDSESSION) replies bear the number of the command, and the connection serves several.
 */
export class ClamdConnection {
  private readonly socket: Socket;
  private readonly session: boolean;
  private commands = 0;
  private received = '';
  private reading: Reading | undefined;
  private ended: Error | undefined;

  private constructor(socket: Socket, session: boolean) {
    this.socket = socket;
    this.session = session;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.take(chunk));
    socket.on('timeout', () => this.destroy());
    socket.on('end', () => this.takeEnd());
    socket.on('error', (error) => this.end(new LostError('the connection to the engine was lost', { cause: error })));
    socket.on('close', () => this.end(new LostError('the engine closed the connection')));
  }

  /**
   * @param session whether to begin a session
   * @throws UnreachableError, or the signal's reason
   */
  static async open(address: ClamdAddress, session: boolean, signal: AbortSignal): Promise<ClamdConnection> {
    signal.throwIfAborted();
    const socket =
      address.kind === 'tcp' ? connect({ host: address.host, port: address.port }) : connect({ path: address.path });
    const unreachable = (cause?: Error): UnreachableError =>
      new UnreachableError('the engine cannot be reached', cause === undefined ? {} : { cause });
    await new Promise<void>((resolve, reject) => {
      const settle = (error?: Error): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', aborted);
        socket.removeListener('connect', connected);
        if (error === undefined) {
          socket.removeListener('error', failed);
          resolve();
        } else {
          // Its listener for errors stays: one more of them must not end the process.
          socket.destroy();
          reject(error);
        }
      };
      const connected = (): void => settle();
      const failed = (error: Error): void => settle(unreachable(error));
      const aborted = (): void => settle(new DetectorError('stopped while connecting to the engine'));
      const timer = setTimeout(() => settle(unreachable(new Error('timeout of the connection'))), CONNECT_TIMEOUT);
      socket.once('connect', connected);
      socket.on('error', failed);
      signal.addEventListener('abort', aborted, { once: true });
    });
    const connection = new ClamdConnection(socket, session);
    if (session) socket.write('zIDSESSION\0');
    return connection;
  }

  /** It can take another command. */
  get usable(): boolean {
    return this.session && this.ended === undefined;
  }

  /** Has done a command before. */
  get used(): boolean {
    return this.commands > 0;
  }

  /**
   * Sends a command and waits for its reply; after any failure the connection is of no use.
   * @param stream pieces of the bytes to scan, for INSTREAM
   * @throws LostError, or DetectorError for a reply that is none, or that the signal was aborted
   */
  async ask(command: string, signal: AbortSignal, stream?: readonly Uint8Array[]): Promise<string> {
    if (this.ended !== undefined) throw this.ended;
    this.commands++;
    this.socket.setTimeout(0);
    this.socket.ref();
    const reply = new Promise<string>((resolve, reject) => (this.reading = { resolve, reject }));
    const aborted = (): void => this.end(new DetectorError('stopped while waiting for the engine'));
    signal.addEventListener('abort', aborted, { once: true });
    if (signal.aborted) aborted();
    try {
      const [text, sent] = await Promise.all([reply, this.send(command, stream)]);
      // A stream that was answered before its end leaves the connection in the midst of it.
      if (!sent) this.destroy();
      return this.numbered(text);
    } catch (error) {
      this.destroy();
      throw error;
    } finally {
      signal.removeEventListener('abort', aborted);
      this.reading = undefined;
    }
  }

  /** Keeps the session for a while, without keeping the process. */
  idle(): void {
    this.socket.setTimeout(KEEP_IDLE);
    this.socket.unref();
  }

  destroy(): void {
    this.end(new LostError('the connection is closed'));
  }

  /** Whether all was sent before the answer came. */
  private async send(command: string, stream: readonly Uint8Array[] | undefined): Promise<boolean> {
    let answered = false;
    this.socket.cork();
    this.socket.write(`${command}\0`);
    if (stream !== undefined) {
      for (const chunk of chunksOf(stream)) {
        // clamd answers and hangs up in the midst of a stream that is too long: its words are read before the next write.
        answered = this.reading === undefined || this.ended !== undefined;
        if (answered) break;
        const length = Buffer.alloc(4);
        length.writeUInt32BE(chunk.length);
        this.socket.write(length);
        const more = this.socket.write(chunk);
        if (chunk.length < CHUNK) continue;
        this.socket.uncork();
        if (!more) await this.drained();
        await nextTurn();
        this.socket.cork();
      }
      if (!answered) this.socket.write(Buffer.alloc(4));
    }
    this.socket.uncork();
    return !answered;
  }

  /** Resolves when there is room again, or nothing more to be sent. */
  private async drained(): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.socket.removeListener('drain', done);
        this.socket.removeListener('close', done);
        this.socket.removeListener('data', done);
        resolve();
      };
      this.socket.once('drain', done);
      this.socket.once('close', done);
      this.socket.once('data', done);
      if (this.ended !== undefined || this.socket.destroyed) done();
    });
  }

  private take(chunk: Buffer): void {
    this.received += chunk.toString('latin1', 0, MAX_REPLY + 1);
    const end = this.received.search(/[\0\n]/);
    if (end < 0) {
      if (this.received.length > MAX_REPLY) this.end(new DetectorError('the engine answered without end'));
      return;
    }
    const reading = this.reading;
    const text = this.received.slice(0, end);
    const rest = this.received.slice(end).replace(/^[\0\n]+/, '');
    this.received = '';
    // One command, one reply: what comes besides cannot be told apart from the reply to the next command.
    if (reading === undefined || rest !== '') {
      this.end(new DetectorError('the engine answered more than it was asked'));
      return;
    }
    this.reading = undefined;
    reading.resolve(text);
  }

  /** The end of the connection ends the reply, too, where no other command can follow. */
  private takeEnd(): void {
    const reading = this.reading;
    if (this.session || reading === undefined || this.received === '') return;
    this.reading = undefined;
    reading.resolve(this.received);
  }

  /** The reply without its number. @throws DetectorError when it is another command's */
  private numbered(text: string): string {
    if (!this.session) return text;
    const prefix = `${this.commands}: `;
    if (!text.startsWith(prefix)) throw new DetectorError('the engine answered something that is no verdict');
    return text.slice(prefix.length);
  }

  private end(error: Error): void {
    this.ended ??= error;
    this.socket.destroy();
    const reading = this.reading;
    this.reading = undefined;
    reading?.reject(this.ended);
  }
}

function* chunksOf(stream: readonly Uint8Array[]): Generator<Uint8Array> {
  for (const piece of stream) {
    for (let at = 0; at < piece.length; at += CHUNK) yield piece.subarray(at, at + CHUNK);
  }
}
