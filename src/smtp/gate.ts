import type { SmtpReply } from '../rules/types.js';

const MAX_KNOWN = 10_000;
const KNOWN_FOR = 3_600_000;

/** Counts the sessions of all listeners and remembers which clients wait for the greeting. */
export class Gate {
  readonly #max: number;
  readonly #maxPerClient: number;
  readonly #now: () => number;
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
    const own = this.#byClient.get(client) ?? 0;
    if (own >= this.#maxPerClient) {
      return { code: 421, enhanced: '4.7.0', text: 'Too many connections from your address' };
    }
    this.#sessions += 1;
    this.#byClient.set(client, own + 1);
    return undefined;
  }

  leave(client: string): void {
    this.#sessions -= 1;
    const own = (this.#byClient.get(client) ?? 0) - 1;
    if (own > 0) this.#byClient.set(client, own);
    else this.#byClient.delete(client);
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
