import { DetectorError } from '../failure.js';
import type { ClamdAddress } from './address.js';
import { ClamdConnection, LostError } from './connection.js';

/** ms in which a clamd must say that it knows sessions. */
const PROBE_TIMEOUT = 1_000;
/** ms after which a server that knew no sessions is asked again. */
const PROBE_AGAIN = 60_000;

/**
 * The connections to one clamd, at most `size` at a time. Sessions are kept and used again; to a server that knows none
 * (clamd before 0.95, some stand-ins) there is a connection for each command.
 */
export class ClamdPool {
  private readonly address: ClamdAddress;
  private readonly size: number;
  private readonly idle: ClamdConnection[] = [];
  private readonly open = new Set<ClamdConnection>();
  private readonly waiting = new Set<() => void>();
  private taken = 0;
  private sessions: Promise<boolean> | undefined;
  private probedAt = 0;
  private closed = false;

  constructor(address: ClamdAddress, size: number) {
    this.address = address;
    this.size = size;
  }

  /**
   * Scans the pieces as one stream.
   * @returns clamd's reply
   * @throws UnreachableError, LostError, DetectorError
   */
  async scan(stream: readonly Uint8Array[], signal: AbortSignal): Promise<string> {
    await this.enter(signal);
    try {
      const session = await this.knowsSessions(signal);
      const kept = this.takeIdle();
      if (kept !== undefined) {
        try {
          return await this.use(kept, stream, signal);
        } catch (error) {
          // An idle session may have been ended on the other side just now; a new one tells.
          if (!(error instanceof LostError) || signal.aborted) throw error;
        }
      }
      return await this.use(await this.connect(session, signal), stream, signal);
    } finally {
      this.leave();
    }
  }

  /** Asks on a connection of its own: health does not wait for scans. */
  async ask(command: string, signal: AbortSignal): Promise<string> {
    const connection = await this.connect(false, signal);
    try {
      return await connection.ask(command, signal);
    } finally {
      this.drop(connection);
    }
  }

  /** Ends all connections; what runs on them fails. */
  close(): void {
    this.closed = true;
    for (const connection of this.open) connection.destroy();
    this.open.clear();
    this.idle.length = 0;
  }

  private async use(connection: ClamdConnection, stream: readonly Uint8Array[], signal: AbortSignal): Promise<string> {
    try {
      const reply = await connection.ask('zINSTREAM', signal, stream);
      if (connection.usable && !this.closed) {
        connection.idle();
        this.idle.push(connection);
      } else this.drop(connection);
      return reply;
    } catch (error) {
      this.drop(connection);
      throw error;
    }
  }

  private takeIdle(): ClamdConnection | undefined {
    for (;;) {
      const kept = this.idle.pop();
      if (kept === undefined || kept.usable) return kept;
      this.drop(kept);
    }
  }

  private async connect(session: boolean, signal: AbortSignal): Promise<ClamdConnection> {
    if (this.closed) throw new DetectorError('the module is closed');
    const connection = await ClamdConnection.open(this.address, session, signal);
    this.open.add(connection);
    return connection;
  }

  private drop(connection: ClamdConnection): void {
    connection.destroy();
    this.open.delete(connection);
  }

  /** Whether the server keeps sessions: asked once, and again after a while when it did not. */
  private async knowsSessions(signal: AbortSignal): Promise<boolean> {
    if (this.sessions === undefined || (performance.now() - this.probedAt > PROBE_AGAIN && !(await this.sessions))) {
      this.probedAt = performance.now();
      this.sessions = this.probe();
      // A server that cannot be reached has not been asked.
      this.sessions.catch(() => (this.sessions = undefined));
    }
    const { sessions } = this;
    return await new Promise<boolean>((resolve, reject) => {
      const aborted = (): void => reject(new DetectorError('stopped while connecting to the engine'));
      signal.addEventListener('abort', aborted, { once: true });
      if (signal.aborted) aborted();
      sessions.then(resolve, reject).finally(() => signal.removeEventListener('abort', aborted));
    });
  }

  private async probe(): Promise<boolean> {
    const signal = AbortSignal.timeout(PROBE_TIMEOUT + 5_000);
    const connection = await this.connect(true, signal);
    try {
      return (await connection.ask('zPING', AbortSignal.timeout(PROBE_TIMEOUT))) === 'PONG';
    } catch (error) {
      if (error instanceof DetectorError) return false;
      throw error;
    } finally {
      this.drop(connection);
    }
  }

  /** Waits for one of the places, in the order of coming. */
  private async enter(signal: AbortSignal): Promise<void> {
    if (this.taken < this.size) {
      this.taken++;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const aborted = (): void => {
        this.waiting.delete(enter);
        reject(new DetectorError('stopped while waiting for a connection to the engine'));
      };
      const enter = (): void => {
        signal.removeEventListener('abort', aborted);
        resolve();
      };
      this.waiting.add(enter);
      signal.addEventListener('abort', aborted, { once: true });
      if (signal.aborted) aborted();
    });
  }

  private leave(): void {
    const [next] = this.waiting;
    if (next === undefined) {
      this.taken--;
      return;
    }
    this.waiting.delete(next);
    next();
  }
}
