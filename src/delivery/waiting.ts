import type { Absence } from './breaker.js';
import type { Destination } from './destinations.js';
import type { ItemWork } from './item-work.js';
import { whileAway } from './schedule.js';
import type { RetrySettings } from './settle.js';
import { isForReturn, type SpoolEntry, type Way } from './spool-index.js';
import type { Spool } from './spool.js';

export interface WaitingParts {
  readonly spool: Pick<Spool, 'entries' | 'entry' | 'reschedule'>;
  readonly work: Pick<ItemWork, 'destinationsOf' | 'isRunning'>;
  readonly retry: RetrySettings;
  readonly now: () => number;
}

/** What waits in the spool, and which hops it waits for. */
export class Waiting {
  readonly #parts: WaitingParts;

  constructor(parts: WaitingParts) {
    this.#parts = parts;
  }

  /** Items that are to be tried, with the time of their next attempt (ms). */
  *times(): Generator<readonly [string, number]> {
    const { spool, work } = this.#parts;
    for (const { key, facts } of spool.entries())
      if (facts?.held === false && !work.isRunning(key)) yield [key, facts.next];
  }

  /** Where those of these items go that are not held. */
  destinations(entries: Iterable<SpoolEntry>): ReadonlySet<Destination> {
    const ways = new Set<Way>();
    for (const { facts } of entries) if (facts?.held === false) ways.add(facts.way);
    return new Set([...ways].flatMap((way) => this.#parts.work.destinationsOf(way)));
  }

  /** Whether an attempt that nothing but a hop's return asks for may come to something. */
  isWorthTrying(key: string): boolean {
    const { facts } = this.#parts.spool.entry(key) ?? {};
    return facts !== undefined && !this.#parts.work.isRunning(key) && this.#isWayOpen(facts.way);
  }

  /**
   * Puts an item off whose hops are all away.
   * @returns when it is looked at again, ms; undefined when there is something to do for it
   */
  putOff(key: string): number | undefined {
    const { spool, work, retry, now } = this.#parts;
    const { facts } = spool.entry(key) ?? {};
    if (facts === undefined || facts.held || work.isRunning(key) || this.#isWayOpen(facts.way)) return undefined;
    const later = whileAway(facts, retry, now());
    if (later !== undefined) spool.reschedule(key, later);
    return later;
  }

  /** Items that waited for the hop, and were not tried since then (ms). */
  forReturnOf(hop: string, since: number, absence: Absence): string[] {
    const { spool, work } = this.#parts;
    const answers = new Map<Way, boolean>();
    const goesThere = (way: Way): boolean => {
      const known = answers.get(way);
      if (known !== undefined) return known;
      const found = work.destinationsOf(way).some(({ hops }) => hops.includes(hop));
      answers.set(way, found);
      return found;
    };
    const found: string[] = [];
    for (const { key, facts } of spool.entries()) {
      if (facts === undefined || facts.held || facts.way.stage !== 'deliver' || facts.last > since) continue;
      if (isForReturn(facts, absence) && goesThere(facts.way)) found.push(key);
    }
    return found;
  }

  #isWayOpen(way: Way): boolean {
    if (way.stage === 'inspect') return true;
    const destinations = this.#parts.work.destinationsOf(way);
    // The route of a rule that is wrong has none: the attempt says so.
    return destinations.length === 0 || destinations.some(({ available }) => available);
  }
}
