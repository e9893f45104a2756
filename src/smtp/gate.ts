import type { SmtpReply } from '../rules/types.js';
import { rateKey } from './client-rate.js';

const MAX_KNOWN = 10_000;
const KNOWN_FOR = 3_600_000;

/**
 * Counts the sessions of all listeners and remembers which clients wait for the greeting. All addresses of an IPv6 /64
 * are one client.
 */
export class Gate {
  readonly #max: number;
  readonly #maxPerClient: number;
  readonly #now: () => number;
  /** Sessions, and connections on their way to one, of each client. */
  readonly #byClient = new Map<string, number>();
  /** Clients that waited for their greeting, and until when that is remembered; oldest first. */
  readonly #patient = new Map<string, number>();
  #sessions = 0;
  /** Messages that are being handled, also those whose client has left. */
  handling = 0;
  /** While the service stops nobody is let in. */
  stopping = false;

  constructor(max: number, maxPerClient: number, now: () => number = Date.now) {
    this.#max = max;
    this.#maxPerClient = maxPerClient;
    this.#now = now;
  }

  get sessions(): number {
    return this.#sessions;
  }

  /** Counts a session in. @returns the refusal, in which case nothing was counted */
  enter(client: string): SmtpReply | undefined {
    if (this.stopping) return { code: 421, enhanced: '4.3.2', text: 'Service is shutting down' };
    if (this.#sessions >= this.#max) return { code: 421, enhanced: '4.7.0', text: 'Too many connections' };
    if (!this.#add(client)) return { code: 421, enhanced: '4.7.0', text: 'Too many connections from your address' };
    this.#sessions += 1;
    return undefined;
  }

  leave(client: string): void {
    this.#sessions -= 1;
    this.#remove(client);
  }

  /**
   * Counts a connection of a client whose TLS handshake is still to come: it takes one of the client's places.
   * @returns what gives the place back, once; undefined when there is none
   */
  knock(client: string): (() => void) | undefined {
    if (!this.#add(client)) return undefined;
    let waiting = true;
    return () => {
      if (waiting) this.#remove(client);
      waiting = false;
    };
  }

  #add(client: string): boolean {
    const key = rateKey(client);
    const own = this.#byClient.get(key) ?? 0;
    if (own >= this.#maxPerClient) return false;
    this.#byClient.set(key, own + 1);
    return true;
  }

  #remove(client: string): void {
    const key = rateKey(client);
    const own = (this.#byClient.get(key) ?? 0) - 1;
    if (own > 0) this.#byClient.set(key, own);
    else this.#byClient.delete(key);
  }

  isPatient(client: string): boolean {
    return (this.#patient.get(client) ?? 0) > this.#now();
  }

  /** The client waited for its greeting and then sent a message that was taken. */
  markPatient(client: string): void {
    this.#patient.delete(client);
    this.#patient.set(client, this.#now() + KNOWN_FOR);
    if (this.#patient.size <= MAX_KNOWN) return;
    for (const oldest of this.#patient.keys()) {
      this.#patient.delete(oldest);
      break;
    }
  }

  markImpatient(client: string): void {
    this.#patient.delete(client);
  }
}
