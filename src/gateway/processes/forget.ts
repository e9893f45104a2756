import { randomUUID } from 'node:crypto';
import { messageOf } from '../../store/errors.js';
import type { Store } from '../../store/types.js';
import type { Log } from '../../telemetry/log.js';

/**
 * Has the cluster forget processes that are no more: nobody misses them, and what was raised about them is over.
 * Never rejects: a database that is away then leaves them to `gatepost nodes remove`.
 * @param installations as `adoptProcesses` returned them
 */
export async function forgetProcesses(
  installations: readonly string[],
  { nodes, events }: Pick<Store, 'nodes' | 'events'>,
  log: Log,
): Promise<void> {
  for (const installation of installations)
    try {
      const name = await nodes.retire(installation);
      if (name === undefined) continue;
      const now = new Date();
      const over = (await events.active(name)).map((condition) => ({
        id: randomUUID(),
        change: 'resolved' as const,
        condition: { ...condition, resolvedAt: now },
      }));
      await events.write(over, []);
    } catch (error) {
      log.warn({ reason: messageOf(error) }, 'a process that is no more could not be taken off the list of nodes');
    }
}
