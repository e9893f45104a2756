import type { EventCondition } from '../store/types.js';
import type { EventName } from './registry.js';

/** What is said of a condition when it is raised (again). */
export interface Raised {
  /** What it is about, when there can be several at once: a module, a hop, a file, another node. */
  readonly subject?: string;
  /** One line for an operator: what is wrong, and what to do. Without secrets. */
  readonly detail: string;
  /** When it last worked: for synchronization and directory. */
  readonly lastSuccess?: Date;
  /** In place of the registry's, such as `critical` for databases that are far too old. */
  readonly severity?: Severity;
  /** The node that it is about, when that is not this one. */
  readonly node?: string;
}

export type Severity = 'diagnostic' | 'informative' | 'warning' | 'error' | 'critical';

/**
 * Where the parts of a node report conditions: raised, still there, over. It never waits and never throws; what cannot
 * be stored now is kept (one state for each condition) and stored when the store is back. Raising what is raised is a
 * new occurrence of the same condition; resolving what is not raised is nothing.
 */
export interface EventReporter {
  raise(event: EventName, raised: Raised): void;
  /** @param node the node that it is about, when that is not this one */
  resolve(event: EventName, subject?: string, node?: string): void;
}

/** The application events of one node. */
export interface EventService extends EventReporter {
  /** Conditions that hold on this node as far as it knows, oldest first; also while the store is away. */
  readonly active: readonly EventCondition[];
  /**
   * The part that reports these events has made its first full round after the start: a condition of the time before
   * that it has not raised again is over (its subject may not even exist any more).
   */
  checked(events: readonly EventName[]): void;
  /** Writes what waits to the store now. Rejects when the store does not take it; it is tried again by itself. */
  flush(): Promise<void>;
  /** Writes what waits, if that takes no longer than `patience` ms; what is left is written after the next start. */
  close(patience?: number): Promise<void>;
}
