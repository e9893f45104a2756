import type { Severity } from './types.js';

export type EventGroup = 'protection' | 'synchronization' | 'directory' | 'gateway';

export interface EventDefinition {
  readonly group: EventGroup;
  readonly severity: Severity;
  /** When it is raised, for a reader. */
  readonly raisedWhen: string;
  /**
   * ms after its last occurrence when it counts as over. For what is noticed only by use: nobody can check whether it
   * still holds.
   */
  readonly lapses?: number;
  /** Any node may find that it is over, not only the one that noticed it. */
  readonly anywhere?: true;
}

const DAY = 86_400_000;

/** All application events. The reference page is made from this table. */
export const EVENTS = {
  'antivirus-databases-outdated': {
    group: 'protection',
    severity: 'error',
    raisedWhen: 'the databases are older than `maxDatabaseAge`; critical at three times that',
  },
  'antispam-databases-outdated': {
    group: 'protection',
    severity: 'error',
    raisedWhen: 'the databases are older than `maxDatabaseAge`; critical at three times that',
  },
  'antiphishing-databases-outdated': {
    group: 'protection',
    severity: 'error',
    raisedWhen: 'a blocked list is older than its limit; critical at three times that',
  },
  'database-update-failed': {
    group: 'protection',
    severity: 'warning',
    raisedWhen: 'a list or an engine could not be refreshed',
  },
  'detector-unavailable': {
    group: 'protection',
    severity: 'error',
    raisedWhen: "a module's health check or its scans fail",
  },
  'reputation-unavailable': {
    group: 'protection',
    severity: 'warning',
    raisedWhen: 'DNS lists or an external verdict service do not answer',
  },
  'node-unavailable': { group: 'synchronization', severity: 'error', raisedWhen: 'no heartbeat for 60 s' },
  'node-clock-skew': {
    group: 'synchronization',
    severity: 'warning',
    raisedWhen: "the node's clock is more than 5 s from the database's",
  },
  'settings-not-applied': {
    group: 'synchronization',
    severity: 'error',
    raisedWhen: 'a reload was refused: the last good set is in force',
  },
  'settings-differ': {
    group: 'synchronization',
    severity: 'warning',
    raisedWhen: 'nodes run different rule sets for over 5 minutes',
  },
  'cluster-misconfigured': {
    group: 'synchronization',
    severity: 'error',
    raisedWhen: 'Redis may evict keys, or the nodes run different versions',
  },
  'directory-unavailable': { group: 'directory', severity: 'error', raisedWhen: 'the directory cannot be reached' },
  'directory-data-stale': {
    group: 'directory',
    severity: 'error',
    raisedWhen: "the copy of the directory's groups is older than its limit",
  },
  'queue-unavailable': { group: 'gateway', severity: 'critical', raisedWhen: 'the job queue does not answer' },
  'store-unavailable': {
    group: 'gateway',
    severity: 'critical',
    raisedWhen: 'the database does not answer, or takes no writes',
  },
  'next-hop-unavailable': { group: 'gateway', severity: 'critical', raisedWhen: 'a next hop does not take mail' },
  'disk-low': {
    group: 'gateway',
    severity: 'error',
    raisedWhen: 'less disk is free than `delivery.spool.minFreeDisk`',
  },
  'spool-backlog': {
    group: 'gateway',
    severity: 'error',
    raisedWhen: 'the spool is near its limit of items or bytes',
  },
  'quarantine-almost-full': {
    group: 'gateway',
    severity: 'error',
    raisedWhen: 'the quarantine is near its size: the oldest messages will go',
  },
  'quarantine-failed': {
    group: 'gateway',
    severity: 'error',
    raisedWhen: 'a message that a rule puts aside could not be stored',
    lapses: DAY,
  },
  'certificate-expiring': {
    group: 'gateway',
    severity: 'warning',
    raisedWhen: 'a certificate runs out in less than 14 days',
  },
  'notification-undeliverable': {
    group: 'gateway',
    severity: 'error',
    raisedWhen: 'a notification was refused, or could not be sent by the end of its lifetime',
    lapses: DAY,
    anywhere: true,
  },
} as const satisfies Record<string, EventDefinition>;

export type EventName = keyof typeof EVENTS;

/** An event's definition; undefined for a name that this version does not know. */
export function definitionOf(event: string): EventDefinition | undefined {
  return isEventName(event) ? EVENTS[event] : undefined;
}

export function isEventName(event: string): event is EventName {
  return Object.hasOwn(EVENTS, event);
}
