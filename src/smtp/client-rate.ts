import ipaddr from 'ipaddr.js';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import type { Rate } from '../config/units.js';

/** Clients that are remembered at a time: beyond them the oldest is forgotten, so that memory is bounded. */
const MAX_CLIENTS = 100_000;

/** How often clients have done something, each within its own window of time. */
export class ClientRate {
  readonly #limiter: RateLimiterMemory;
  readonly #limit: number;
  readonly #clients = new Set<string>();

  constructor(rate: Rate) {
    this.#limit = rate.count;
    this.#limiter = new RateLimiterMemory({ points: rate.count, duration: rate.per / 1000 });
  }

  /** Counts once more. @returns how often it was within the window */
  async add(client: string): Promise<number> {
    const key = rateKey(client);
    await this.#remember(key);
    const { consumedPoints } = await this.#limiter.penalty(key);
    return consumedPoints;
  }

  /** Counts once more. @returns whether that is still within the rate */
  async take(client: string): Promise<boolean> {
    return (await this.add(client)) <= this.#limit;
  }

  /** Whether the client has used up its rate. */
  async isOver(client: string): Promise<boolean> {
    const state = await this.#limiter.get(rateKey(client));
    return state !== null && state.consumedPoints >= this.#limit;
  }

  async #remember(key: string): Promise<void> {
    this.#clients.delete(key);
    this.#clients.add(key);
    if (this.#clients.size <= MAX_CLIENTS) return;
    for (const oldest of this.#clients) {
      this.#clients.delete(oldest);
      await this.#limiter.delete(oldest);
      return;
    }
  }
}

/** An IPv4 address, or the /64 of an IPv6 one: who has one of its addresses has all. */
export function rateKey(client: string): string {
  if (!ipaddr.isValid(client)) return client;
  const address = ipaddr.parse(client);
  return address instanceof ipaddr.IPv6 ? `${address.parts.slice(0, 4).join(':')}/64` : client;
}
