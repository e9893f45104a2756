import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Config } from '../../config/load.js';
import { openDelivery } from '../../delivery/delivery.js';
import { COMMAND } from '../../delivery/spool.js';
import type { Delivery, QueueAnswer, QueueRequest } from '../../delivery/types.js';
import type { TraceId } from '../../message/trace-id.js';
import { messageOf } from '../../store/errors.js';
import { openStoreForCommand } from '../../store/open.js';
import { filesOfOwner } from '../../store/owned-files.js';
import { LockedError } from '../../store/process-lock.js';
import type { DeliveryRecord } from '../../store/types.js';
import type { Log } from '../../telemetry/log.js';
import { processFolders } from '../processes/folders.js';
import { askControl, NotRunningError, type ControlHandler } from './socket.js';

const ids = z.array(z.string().max(200)).max(1000);

const requestSchema: z.ZodType<QueueRequest> = z.strictObject({
  action: z.enum(['retry', 'drop', 'hold', 'unhold', 'requeue']),
  ids,
  all: z.boolean().exactOptional(),
  bounce: z.boolean().exactOptional(),
});

const answerSchema: z.ZodType<QueueAnswer> = z.object({
  results: z.array(
    z.object({
      id: z.string(),
      outcome: z.enum(['done', 'missing', 'busy', 'refused']),
      detail: z.string().exactOptional(),
    }),
  ),
  count: z.number().exactOptional(),
});

/** Answers commands on the spool of the running gateway. */
export function answerQueue(delivery: Pick<Delivery, 'command'>): ControlHandler {
  return async (details) => await delivery.command(requestSchema.parse(details));
}

/** Who works on the spool for a command. */
export interface QueueOwner {
  /** Whether a gateway does; otherwise this process. */
  readonly running: boolean;
  run(request: QueueRequest): Promise<QueueAnswer>;
  /** Gives the spool up. @returns why the journal does not show what was done; undefined when it does */
  close(): Promise<string | undefined>;
}

/** A spool with nothing in it. */
const EMPTY: QueueOwner = {
  running: false,
  run: ({ ids: asked }) =>
    Promise.resolve({ results: asked.map((id) => ({ id, outcome: 'missing' as const })), count: 0 }),
  close: () => Promise.resolve(undefined),
};

/** How long a gateway may take to start or stop, ms. */
const PATIENCE = 10_000;
const POLL = 250;

/**
 * Finds who owns the spool: the running gateway, which is asked, or nobody: then this process takes it. The spools of
 * several processes are as one.
 * @throws LockedError when another process has it and does not answer
 */
export async function openQueueOwner(config: Config, log: Log): Promise<QueueOwner> {
  // Nothing has ever been spooled where there is no data folder; none is made for that.
  if (!existsSync(config.data)) return EMPTY;
  const owners: QueueOwner[] = [];
  try {
    for (const { folder } of await processFolders(config.data)) owners.push(await openOneOwner(config, folder, log));
  } catch (error) {
    for (const owner of owners) await owner.close();
    throw error;
  }
  const [only] = owners;
  return only !== undefined && owners.length === 1 ? only : asOne(owners);
}

function asOne(owners: readonly QueueOwner[]): QueueOwner {
  return {
    running: owners.some(({ running }) => running),
    run: async (request) => {
      const results = new Map<string, QueueAnswer['results'][number]>();
      let count: number | undefined;
      let { ids: left } = request;
      for (const owner of owners) {
        if (left.length === 0 && request.all !== true) break;
        const answer = await owner.run({ ...request, ids: left });
        for (const result of answer.results) results.set(result.id, result);
        if (answer.count !== undefined) count = (count ?? 0) + answer.count;
        left = answer.results.filter(({ outcome }) => outcome === 'missing').map(({ id }) => id);
      }
      return { results: [...results.values()], ...(count === undefined ? {} : { count }) };
    },
    close: async () => {
      const unwritten: string[] = [];
      for (const owner of owners) unwritten.push((await owner.close()) ?? '');
      return unwritten.find((text) => text !== '');
    },
  };
}

async function openOneOwner(config: Config, folder: string, log: Log): Promise<QueueOwner> {
  for (const since = performance.now(); ;) {
    try {
      return (await runningOwner(folder)) ?? (await ownOwner(config, folder, log));
    } catch (error) {
      // It is starting, or stopping.
      if (!(error instanceof LockedError) || performance.now() - since > PATIENCE) throw error;
      await sleep(POLL);
    }
  }
}

async function runningOwner(data: string): Promise<QueueOwner | undefined> {
  const run = async (request: QueueRequest): Promise<QueueAnswer> =>
    answerSchema.parse(await askControl(data, 'queue', request));
  try {
    await run({ action: 'retry', ids: [] });
  } catch (error) {
    if (error instanceof NotRunningError) return undefined;
    throw error;
  }
  return { running: true, run, close: () => Promise.resolve(undefined) };
}

async function ownOwner(config: Config, data: string, log: Log): Promise<QueueOwner> {
  const records: [TraceId, readonly DeliveryRecord[]][] = [];
  const delivery = await openDelivery({
    config: { ...config, data },
    queue: undefined,
    log,
    role: COMMAND,
    files: await filesOfOwner(data),
    events: { settled: (id, settled) => void records.push([id, settled]) },
    reinspect: () => Promise.resolve({ state: 'again', reason: 'no gateway runs' }),
  });
  return {
    running: false,
    run: async (request) => await delivery.command(request),
    close: async () => {
      await delivery.close();
      return await writeDown(config, records);
    },
  };
}

async function writeDown(
  config: Config,
  records: readonly (readonly [TraceId, readonly DeliveryRecord[]])[],
): Promise<string | undefined> {
  if (records.length === 0) return undefined;
  try {
    const store = await openStoreForCommand(config);
    if (store === undefined) return 'there is no journal yet';
    try {
      for (const [id, settled] of records) store.journal.delivered(id, settled);
      await store.journal.flush();
      return store.journal.lost > 0 ? 'the database does not take it' : undefined;
    } finally {
      await store.close();
    }
  } catch (error) {
    return messageOf(error);
  }
}
