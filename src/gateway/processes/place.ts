import os from 'node:os';
import path from 'node:path';
import type { Config } from '../../config/load.js';

/** Which of the processes of a gateway (`smtp.processes`) this one is. */
export interface ProcessPlace {
  /** From 1 on. */
  readonly number: number;
  /** How many there are. */
  readonly of: number;
  /** Whether another was in this place before. */
  readonly again: boolean;
  /** How the one before it in this place ended; absent for the first, and when that was asked to end. */
  readonly died?: string;
}

/** Longest node name. */
const MAX_NAME = 63;

/** How many processes `smtp.processes` asks for. */
export function processesOf({ smtp }: { readonly smtp: Pick<Config['smtp'], 'processes'> }): number {
  return smtp.processes === 'auto' ? Math.min(os.availableParallelism(), 32) : smtp.processes;
}

/** Folder with the folders of all processes but the first, which has the data folder itself. */
export function processesFolder(data: string): string {
  return path.join(data, 'processes');
}

/** Where the spool and the outbox of a process lie. */
export function folderOf(data: string, number: number): string {
  return number === 1 ? data : path.join(processesFolder(data), String(number));
}

/** The name that a process has among the nodes. */
export function nameOf(node: string, number: number): string {
  const suffix = number === 1 ? '' : `-${number}`;
  return `${node.slice(0, MAX_NAME - suffix.length)}${suffix}`;
}

/**
 * The configuration as one of several processes has it: with a folder and a name of its own, and its share of what is
 * limited for the whole gateway.
 */
export function configOf(config: Config, { number, of }: Pick<ProcessPlace, 'number' | 'of'>): Config {
  const { smtp, delivery, scan } = config;
  const { spool } = delivery;
  const share = (all: number): number => Math.max(1, Math.ceil(all / of));
  return {
    ...config,
    data: folderOf(config.data, number),
    node: { ...config.node, name: nameOf(config.node.name, number) },
    smtp: { ...smtp, maxConnections: share(smtp.maxConnections) },
    scan: {
      ...scan,
      threads: scan.threads === 'auto' ? Math.max(1, Math.floor(os.availableParallelism() / of)) : scan.threads,
    },
    delivery: {
      ...delivery,
      connections: share(delivery.connections),
      spool: { ...spool, maxSize: share(spool.maxSize), maxItems: share(spool.maxItems) },
    },
  };
}
