import { HopError } from './errors.js';
import { ownReply } from '../reply.js';
import type { Session } from './session.js';

export interface PoolOptions {
  /** Connections at a time. */
  readonly connections: number;
  /** How long a connection may wait for its next mail, ms. */
  readonly idle: number;
  /** How old a connection may become before it is closed instead of used again, ms. */
  readonly maxAge: number;
  /** How long a mail waits for a connection when all are in use, ms. */
  readonly wait: number;
}

export const POOL: PoolOptions = { connections: 20, idle: 20_000, maxAge: 600_000, wait: 300_000 };

/** A session in the pool. */
export interface Lease {
  readonly session: Session;
  readonly openedAt: number;
  /** It has carried a mail before: it may turn out to be dead. */
  readonly used: boolean;
  /** RSET goes before the next mail. */
  readonly dirty: boolean;
}

/** Sessions with one server: so many at a time, kept for the next mail. */
export class Pool {
  readonly #open: () => Promise<Session>;
  readonly #options: PoolOptions;
  #idle: { readonly lease: Lease; readonly timer: NodeJS.Timeout }[] = [];
  #taken = 0;
  #waiting: { readonly grant: () => void; readonly refuse: (error: Error) => void; readonly timer: NodeJS.Timeout }[] =
    [];
  #closed = false;

  constructor(open: () => Promise<Session>, options: PoolOptions) {
    this.#open = open;
    this.#options = options;
  }

  /**
   * A session for one mail: a kept one, a new one, or the next that becomes free. Must be given back.
   * @param fresh not one that was used before
   * @throws HopError when none can be opened or all stay in use
   */
  async take(fresh = false): Promise<Lease> {
    if (this.#closed) throw new HopError('connect', ownReply(451, '4.3.2', 'the gateway is stopping'));
    if (this.#taken >= this.#options.connections) await this.#turn();
    else this.#taken += 1;
    const kept = fresh ? undefined : this.#kept();
    if (kept !== undefined) return kept;
    try {
      if (this.#taken + this.#idle.length > this.#options.connections) this.#dropOldest();
      const session = await this.#open();
      return { session, openedAt: Date.now(), used: false, dirty: false };
    } catch (error) {
      this.#free();
      throw error;
    }
  }

  /** Gives a session back; it is kept when it is good for another mail. */
  give(lease: Lease, dirty: boolean): void {
    const { connection } = lease.session;
    const young = Date.now() - lease.openedAt < this.#options.maxAge;
    if (!this.#closed && connection.idle && young) {
      const timer = setTimeout(() => this.#drop(lease), this.#options.idle);
      timer.unref();
      connection.hold(false);
      connection.onLost(() => this.#drop(lease));
      this.#idle.push({ lease: { ...lease, used: true, dirty }, timer });
    } else connection.quit();
    this.#free();
  }

  /** Closes what is idle, and what is in use when it is given back. Mails that wait for a connection fail. */
  close(): void {
    this.#closed = true;
    for (const { lease } of [...this.#idle]) this.#drop(lease);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { refuse, timer } of waiting) {
      clearTimeout(timer);
      refuse(new HopError('connect', ownReply(451, '4.3.2', 'the gateway is stopping')));
    }
  }

  /** The session that was used last: the others may run into their idle time. */
  #kept(): Lease | undefined {
    for (let entry = this.#idle.pop(); entry !== undefined; entry = this.#idle.pop()) {
      clearTimeout(entry.timer);
      const { connection } = entry.lease.session;
      connection.onLost(() => undefined);
      if (connection.idle) {
        connection.hold(true);
        return entry.lease;
      }
      connection.destroy();
    }
    return undefined;
  }

  /** Waits for a place that another mail leaves. */
  #turn(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting = this.#waiting.filter((waiter) => waiter.timer !== timer);
        reject(new HopError('connect', ownReply(451, '4.4.5', 'all connections to the server are in use')));
      }, this.#options.wait);
      this.#waiting.push({ grant: resolve, refuse: reject, timer });
    });
  }

  #free(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#taken -= 1;
    else {
      clearTimeout(next.timer);
      next.grant();
    }
  }

  #dropOldest(): void {
    const oldest = this.#idle[0];
    if (oldest !== undefined) this.#drop(oldest.lease);
  }

  #drop({ session }: Lease): void {
    const entry = this.#idle.find(({ lease }) => lease.session === session);
    if (entry === undefined) return;
    clearTimeout(entry.timer);
    this.#idle = this.#idle.filter((other) => other !== entry);
    session.connection.quit();
  }
}
