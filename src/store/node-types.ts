/** What a process of the cluster does. */
export type NodeRole = 'gateway' | 'worker';

/** What a node says of itself. */
export interface NodeFacts {
  /** Unique among the nodes that run. */
  readonly name: string;
  readonly roles: readonly NodeRole[];
  readonly address: string;
  /** Where it takes mail; 0 when it takes none. */
  readonly port: number;
  readonly comment: string;
  /** IANA name. */
  readonly timezone: string;
  readonly version: string;
  /** Of the rule set in force. */
  readonly rules: string;
  /** How far its clock is ahead of the database's, ms; negative when it is behind. */
  readonly clock: number;
}

/** A node as all others see it. Times and ages are by the database's clock. */
export interface NodeRecord extends NodeFacts {
  readonly started: Date;
  readonly lastSeen: Date;
  /** ms since it was last seen. */
  readonly silence: number;
  /** When the rule set in force was taken. */
  readonly rulesSince: Date;
  /** When it was stopped in the ordinary way; absent while it runs, or should. */
  readonly stopped?: Date;
}

/** Who a process is: which installation, and which run of it. */
export interface NodeIdentity {
  /** Kept in the data folder: a run after a `kill -9` is the same node and need not wait. */
  readonly installation: string;
  /** New for each run. */
  readonly run: string;
}

/** The node that speaks for all. */
export interface ControlNode {
  readonly name: string;
  readonly timezone: string;
  readonly since: Date;
  /** Whether its lease is over: nobody has taken it since. */
  readonly expired: boolean;
  /** The node that an admin wants to be it, whenever it runs. */
  readonly preferred?: string;
}

/** The nodes of a cluster, in its database. */
export interface NodeStore {
  /**
   * Enters a node, or says that it still runs. A gateway takes its name from a worker: on that nothing hangs.
   * @returns the node of another installation that runs under that name; then nothing is written
   */
  beat(facts: NodeFacts, identity: NodeIdentity): Promise<NodeRecord | undefined>;
  /** The node stops in the ordinary way: it is not missed, and gives the lease away. */
  leave(name: string, identity: NodeIdentity): Promise<void>;
  /** All that are known, by name. */
  list(): Promise<readonly NodeRecord[]>;
  /** Forgets a node and whatever is said of it, also when it is silent. @returns false when there is none of that name */
  remove(name: string): Promise<boolean>;
  /** Forgets the node of an installation that is no more. @returns its name; undefined when none is known */
  retire(installation: string): Promise<string | undefined>;
  /** Forgets nodes that were stopped before that long, ms. */
  prune(age: number): Promise<void>;
  /**
   * Takes or keeps the lease of the control node.
   * @param span how long it lasts, ms
   * @returns whether this node has it now
   */
  lease(facts: NodeFacts, identity: NodeIdentity, span: number): Promise<boolean>;
  control(): Promise<ControlNode | undefined>;
  /** Which node is to be the control node whenever it runs; undefined for no wish. */
  prefer(name: string | undefined): Promise<void>;
  /** How far this machine's clock is ahead of the database's, ms, and by how much that may be wrong. */
  clockOffset(now?: () => number): Promise<{ readonly offset: number; readonly error: number }>;
}

/** After so long without a sign a node counts as gone, ms. */
export const NODE_SILENCE = 60_000;
/** After so long another may take its name, ms. */
export const NAME_SILENCE = 30_000;
