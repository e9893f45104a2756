import { domainOf } from '../message/envelope.js';
import type { Absence } from './breaker.js';
import { owesDelay, waitsSince } from './delay.js';
import type { SpoolItem } from './spool-item.js';
import type { HopReply } from './types.js';

/** What is kept in memory of an item: there may be a million, and the rest is read when it is tried. Times in ms. */
export interface SpoolEntry {
  readonly key: string;
  /** Of the message, in bytes. */
  readonly size: number;
  /** Absent until the item's file was read: only that it is there is known of it. */
  readonly facts?: EntryFacts;
}

export interface EntryFacts {
  readonly time: number;
  readonly next: number;
  /** Of the last attempt, or of the spooling. */
  readonly last: number;
  readonly held: boolean;
  /** Somebody of it waits for a hop that was away, and not because a server said that this mail is to come later. */
  readonly wantsHop: boolean;
  readonly attempts: number;
  /** From when it counts how long it waits: since it was received, without the time that it was held. */
  readonly since: number;
  /** Somebody is to be told when it is late, and has not been. */
  readonly owesDelay: boolean;
  readonly way: Way;
}

/** Where items go: shared by all that go the same way. */
export interface Way {
  readonly stage: SpoolItem['stage'];
  readonly route?: string;
  /** Domains of the recipients that wait. */
  readonly domains: readonly string[];
}

/** Ways that are remembered to be shared. */
const MAX_WAYS = 10_000;

/** The items of a spool by their keys. */
export class SpoolIndex {
  readonly #entries = new Map<string, SpoolEntry>();
  readonly #ways = new Map<string, Way>();

  get size(): number {
    return this.#entries.size;
  }

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  get(key: string): SpoolEntry | undefined {
    return this.#entries.get(key);
  }

  values(): Iterable<SpoolEntry> {
    return this.#entries.values();
  }

  /** An item that nothing but its name and size is known of yet. */
  found(key: string, size: number): void {
    this.#entries.set(key, { key, size });
  }

  set(item: SpoolItem): void {
    this.#entries.set(item.item, {
      key: item.item,
      size: item.size,
      facts: {
        time: Date.parse(item.time),
        next: Date.parse(item.nextAttempt),
        last: Date.parse(item.history.at(-1)?.time ?? item.time),
        held: item.held !== undefined,
        wantsHop: item.recipients.some((one) => one.state === 'waiting' && !isPutOff(one.lastReply)),
        attempts: item.attempts,
        since: waitsSince(item),
        owesDelay: item.recipients.some(owesDelay),
        way: this.#wayOf(item),
      },
    });
  }

  /** @param next time of the next attempt, ms */
  reschedule(key: string, next: number): void {
    const entry = this.#entries.get(key);
    if (entry?.facts !== undefined) this.#entries.set(key, { ...entry, facts: { ...entry.facts, next } });
  }

  delete(key: string): SpoolEntry | undefined {
    const entry = this.#entries.get(key);
    this.#entries.delete(key);
    return entry;
  }

  #wayOf({ stage, route, recipients }: SpoolItem): Way {
    const waiting = recipients.filter(({ state }) => state === 'waiting').map(({ address }) => domainOf(address));
    const way: Way = { stage, ...(route === undefined ? {} : { route }), domains: [...new Set(waiting)].sort() };
    const name = JSON.stringify(way);
    const known = this.#ways.get(name);
    if (known !== undefined) return known;
    if (this.#ways.size >= MAX_WAYS) this.#ways.clear();
    this.#ways.set(name, way);
    return way;
  }
}

/**
 * Whether an item is tried out of turn as its hop is back. What a server has put off keeps its time; and where the hop was
 * not away but fails at some mail, so does what was tried again already: it could be that mail.
 */
export function isForReturn({ wantsHop, attempts }: EntryFacts, absence: Absence): boolean {
  if (absence === 'unknown') return true;
  return wantsHop && (absence === 'away' || attempts <= 1);
}

/** Whether a server has put this mail off. 421 is about the server; a 5xx that did not end it was, too, but for 552 to RCPT. */
function isPutOff(reply: HopReply | undefined): boolean {
  const code = reply?.own === true ? undefined : reply?.code;
  return code !== undefined && ((code >= 400 && code < 500 && code !== 421) || code === 552);
}
