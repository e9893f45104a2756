import { version } from '../../config/version.js';
import { oweSettings } from '../../notifications/settings.js';
import type { NotifiedNode } from '../../notifications/types.js';
import type { NodeFacts, NodeRole, NodeStore } from '../../store/node-types.js';
import type { InForce } from '../reload/in-force.js';

/** What this node says of itself. @param port where it takes mail; by default where it is to */
export function nodeFacts(
  inForce: Pick<InForce, 'config' | 'hash'>,
  roles: readonly NodeRole[],
  port?: number,
): Omit<NodeFacts, 'clock'> {
  const { node } = oweSettings(inForce.config, roles.includes('gateway') ? port : 0);
  return {
    name: node.name,
    roles,
    address: node.address,
    port: node.port,
    comment: node.comment,
    timezone: node.timezone,
    version: VERSION,
    rules: inForce.hash,
  };
}

const VERSION = version();

/** The nodes of the cluster as mails show them, by name. */
export async function notifiedNodes(nodes: Pick<NodeStore, 'list'>): Promise<ReadonlyMap<string, NotifiedNode>> {
  const known = await nodes.list();
  return new Map(
    known.map(({ name, address, port, comment, timezone }) => [name, { name, address, port, comment, timezone }]),
  );
}
