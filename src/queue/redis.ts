import { randomBytes } from 'node:crypto';
import { Queue, Worker } from 'bullmq';
import { codeOf, messageOf } from '../store/errors.js';
import type { Log } from '../telemetry/log.js';
import type { Driver, JobText } from './driver.js';
import { QueueError } from './errors.js';
import { readied } from './postgres.js';
import { connectRedis, primariesOf, type ReadyTarget, type RedisClient } from './redis-client.js';

/** How long a producer waits for an answer, in ms. */
const COMMAND_TIMEOUT = 1000;

/** BullMQ on Redis. Producers fail fast while it is away; workers wait for it for ever. */
export function redisDriver(target: ReadyTarget, log: Log): Driver {
  const { prefix } = target;
  const producer = connectRedis(target, COMMAND_TIMEOUT);
  const workers: { client?: RedisClient } = {};
  const listeners: ((reason: string) => void)[] = [];
  let lastError = 'the connection was closed';
  producer.on('error', (error: Error) => {
    lastError = reasonOf(error);
  });
  producer.on('close', () => {
    for (const listener of listeners) listener(lastError);
  });
  // Is gone when Redis was emptied or came back without its data.
  const marker = `${prefix}:seen:${randomBytes(8).toString('hex')}`;
  let marked = false;

  function workerClient(): RedisClient {
    if (workers.client === undefined) {
      workers.client = connectRedis(target);
      workers.client.on('error', (error: Error) =>
        log.debug({ reason: messageOf(error) }, 'Redis connection of workers'),
      );
    }
    return workers.client;
  }

  return {
    name: target.name,
    probe: async () => {
      if (producer.status !== 'ready') throw new QueueError('unavailable', `Redis does not answer: ${lastError}`);
      if (marked && (await producer.exists(marker)) === 1) return { emptied: false };
      await requireNoEviction(producer);
      await producer.set(marker, '1', 'EX', 7 * 86_400);
      const emptied = marked;
      marked = true;
      return { emptied };
    },
    unfit: async () => {
      if (producer.status !== 'ready') return undefined;
      try {
        await requireNoEviction(producer);
        return undefined;
      } catch (error) {
        return error instanceof QueueError && error.code === 'refused' ? error.message : undefined;
      }
    },
    onLost: (listener) => void listeners.push(listener),
    openQueue: async (name) => {
      const queue = new Queue<JobText, unknown, string>(name, { connection: producer, prefix });
      queue.on('error', (error) => log.debug({ queue: name, reason: messageOf(error) }, 'job queue'));
      return await readied(queue);
    },
    openWorker: async (name, processor, options) => {
      const worker = new Worker<JobText>(name, processor, { ...options, connection: workerClient(), prefix });
      worker.on('error', (error) => log.debug({ queue: name, reason: messageOf(error) }, 'job worker'));
      return await readied(worker);
    },
    close: async () => {
      if (producer.status === 'ready') await producer.del(marker).catch(() => undefined);
      producer.disconnect();
      workers.client?.disconnect();
    },
  };
}

const UNVERIFIED = [
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
];

/** What went wrong with a connection, and what to do where an admin can do something. */
function reasonOf(error: Error): string {
  const reason = messageOf(error);
  return UNVERIFIED.includes(codeOf(error) ?? '')
    ? `its certificate cannot be verified (${reason}): name the file of its authority in \`queue:\`, as rediss://...?ca=FILE`
    : reason;
}

/** @throws QueueError `refused` when Redis may throw jobs away to make room */
async function requireNoEviction(client: RedisClient): Promise<void> {
  // CONFIG is forbidden in many hosted services; INFO is not.
  const infos = await Promise.all(primariesOf(client).map(async (server) => await server.info('memory')));
  const policy = infos
    .map((info) => /^maxmemory_policy:(\S+)/m.exec(info)?.[1])
    .find((found) => found !== undefined && found !== 'noeviction');
  if (policy === undefined) return;
  throw new QueueError(
    'refused',
    `Redis would throw jobs away when its memory is full (maxmemory-policy ${policy}). Put the line "maxmemory-policy noeviction" into redis.conf, or run: redis-cli CONFIG SET maxmemory-policy noeviction`,
  );
}
