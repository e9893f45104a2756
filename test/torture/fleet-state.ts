import { get } from 'node:http';
import { until } from '../support/until.js';
import type { Fleet, FleetNode } from './fleet.js';
import { unsettled } from './places.js';

/** A fleet that was spoiled has this long to be well again, ms. */
export const PATIENCE = 300_000;

async function isReady({ pages }: FleetNode): Promise<boolean> {
  return await new Promise((resolve) => {
    const request = get(
      { host: '127.0.0.1', port: pages, path: '/readyz', agent: false, timeout: 5000 },
      (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      },
    );
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(false));
  });
}

/** What is not as it is in a fleet that is well: nodes, work that waits, events. */
async function complaints({ nodes, gateways, store }: Fleet): Promise<string[]> {
  const found: string[] = [];
  for (const node of nodes) if (!(await isReady(node))) found.push(`${node.name} is not ready`);
  for (const { name, data } of gateways) found.push(...(await unsettled(data)).map((file) => `${name}: ${file}`));
  const listed = await store.nodes.list();
  for (const { name } of nodes) {
    const node = listed.find((each) => each.name === name);
    if (node === undefined || node.stopped !== undefined || node.silence > 15_000) found.push(`${name} is not listed`);
  }
  for (const { event, node, subject } of await store.events.active()) found.push(`${event} ${node} ${subject}`);
  if ((await store.eventMails.owed(1)).length > 0) found.push('a mail about events is owed');
  return found;
}

/** Resolves when all is well, with the ms that it took. */
export async function settled(fleet: Fleet): Promise<number> {
  const begin = Date.now();
  let left: string[] = [];
  try {
    await until('the fleet to be well', async () => (left = await complaints(fleet)).length === 0, PATIENCE);
  } catch (error) {
    const logs = fleet.nodes.map(({ life, process: { log } }) => `${life}:\n${log.slice(-10).join('\n')}`);
    throw new Error(`not settled: ${left.slice(0, 20).join('; ')}\n${logs.join('\n')}`, { cause: error });
  }
  return Date.now() - begin;
}
