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
}

export type Severity = 'diagnostic' | 'informative' | 'warning' | 'error' | 'critical';

/**
 * Where the parts of a node report conditions: raised, still there, over. It never waits and never throws; what cannot
 * be stored now is kept (one state for each condition) and stored when the store is back. Raising what is raised is a
 * new occurrence of the same condition; resolving what is not raised is nothing.
 */
export interface EventReporter {
  raise(event: EventName, raised: Raised): void;
  resolve(event: EventName, subject?: string): void;
}

/** A reporter for tests and for commands that report nothing. */
export const NO_EVENTS: EventReporter = { raise: () => undefined, resolve: () => undefined };
