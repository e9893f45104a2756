import { randomUUID } from 'node:crypto';
import type { EventCondition, EventStore } from '../store/types.js';
import { definitionOf } from './registry.js';

/** What was found to be over is remembered for so long: another node's word that it began may come late. ms */
const REMEMBERED = 30_000;
/** More are not remembered at a time. */
const MAX_REMEMBERED = 5000;

/**
 * Conditions that any node may find to be over, whichever noticed them: a notification is refused to one worker, and the
 * next one for that address is sent by another.
 */
export class Elsewhere {
  readonly #node: string;
  readonly #store: Pick<EventStore, 'active' | 'write'>;
  /** When each was last found to be over. */
  readonly #over = new Map<string, Date>();

  constructor(node: string, store: Pick<EventStore, 'active' | 'write'>) {
    this.#node = node;
    this.#store = store;
  }

  /** It is over as far as this node can see. */
  over(event: string, subject: string, now: Date): void {
    if (!isAnywhere(event)) return;
    const key = keyOf({ event, subject });
    this.#over.delete(key);
    this.#over.set(key, now);
    for (const oldest of this.#over.keys()) {
      if (this.#over.size <= MAX_REMEMBERED) break;
      this.#over.delete(oldest);
    }
  }

  /**
   * Ends those of other nodes that were found to be over after they last occurred.
   * @param held conditions of this node that the store has had for a while
   * @returns those of them that another node has ended meanwhile
   */
  async settle(held: readonly EventCondition[], now: Date): Promise<readonly EventCondition[]> {
    for (const [key, at] of this.#over) if (now.getTime() - at.getTime() > REMEMBERED) this.#over.delete(key);
    const own = held.filter(({ event }) => isAnywhere(event));
    if (this.#over.size === 0 && own.length === 0) return [];
    const active = (await this.#store.active()).filter(({ event }) => isAnywhere(event));
    const ended = active.filter((condition) => {
      const at = this.#over.get(keyOf(condition));
      return condition.node !== this.#node && at !== undefined && at > condition.last;
    });
    if (ended.length > 0)
      await this.#store.write(
        ended.map((condition) => ({
          id: randomUUID(),
          change: 'resolved' as const,
          condition: { ...condition, resolvedAt: now },
        })),
        [],
      );
    const holds = new Set(active.filter(({ node }) => node === this.#node).map(keyOf));
    return own.filter((condition) => !holds.has(keyOf(condition)));
  }
}

function isAnywhere(event: string): boolean {
  return definitionOf(event)?.anywhere === true;
}

function keyOf({ event, subject }: Pick<EventCondition, 'event' | 'subject'>): string {
  return `${event}\n${subject}`;
}
