/** The members of the configured groups, as rules read them. Plain data. */
export interface DirectorySnapshot {
  /** Addresses in lower case by name of the group; undefined for one that was never read. */
  readonly groups: ReadonlyMap<string, readonly string[] | undefined>;
}

/** What was read of one group. Plain data. */
export interface GroupReading {
  /** In lower case, each once, sorted. */
  readonly addresses: readonly string[];
  /** Entries that are members, people without an address included. */
  readonly members: number;
  /** Members that are named and not there, or cannot be read. */
  readonly absent: number;
  /** Members without an address. */
  readonly withoutAddress: number;
  /** Values that are no address: broken, or holding a wildcard. */
  readonly badAddresses: number;
}

/** A copy of a group on this node's disk. */
export interface GroupCopy extends GroupReading {
  readonly name: string;
  /** When the directory last said so, ms since 1970. */
  readonly readAt: number;
}

/** How the copy of a configured group stands. */
export interface GroupState {
  readonly name: string;
  readonly copy?: GroupCopy;
  /** The copy is older than `directory.maxAge`. */
  readonly stale: boolean;
  /** Why the last reading gave nothing, or is not taken yet; absent when it went well. */
  readonly failure?: string;
}
