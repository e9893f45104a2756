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

/** How long the marker outlives its writer, in seconds. */
const MARKER_LIFE = 7 * 86_400;
/** Writes the marker anew, by a script as BullMQ does, and something to wait for. @returns whether the marker was there (1) */
const MARK = `local there = redis.call('EXISTS', KEYS[1])
redis.call('SET', KEYS[1], '1', 'EX', ARGV[1])
redis.call('ZADD', KEYS[2], 0, '1')
redis.call('EXPIRE', KEYS[2], ARGV[1])
return there`;
/** A worker that Redis has just refused something is refused it again: so long after the last time it counts as well, ms. */
const REFUSED = 3_000;

/** BullMQ on Redis. Producers fail fast while it is away; workers wait for it for ever. */
export function redisDriver(target: ReadyTarget, log: Log): Driver {
  const { prefix } = target;
  const workers: { client?: RedisClient } = {};
  const listeners: ((reason: string) => void)[] = [];
  let lastError = 'the connection was closed';
  const producer = connectRedis(target, COMMAND_TIMEOUT, (error) => {
    lastError = reasonOf(error, prefix);
  });
  producer.on('error', (error: Error) => {
    lastError = reasonOf(error, prefix);
  });
  producer.on('close', () => {
    for (const listener of listeners) listener(lastError);
  });
  // Is gone when Redis was emptied or came back without its data.
  const marker = `${prefix}:seen:${randomBytes(8).toString('hex')}`;
  let marked = false;
  let emptied = false;
  // There is always something in it: what waits for it, as workers wait for jobs, does not hold the connection up.
  const awaited = `${marker}:awaited`;
  let refusal: { readonly reason: string; readonly at: number } | undefined;

  /** What an admin must do something about does not show on the connection: the queue counts as out of reach. */
  function workerFailed(error: unknown): void {
    if (adviceFor(plainReason(error)) === undefined) return;
    refusal = { reason: reasonOf(error, prefix), at: performance.now() };
    for (const listener of listeners) listener(refusal.reason);
  }

  function workerClient(): RedisClient {
    if (workers.client === undefined) {
      workers.client = connectRedis(target);
      workers.client.on('error', (error: Error) => {
        log.debug({ reason: messageOf(error) }, 'Redis connection of workers');
        workerFailed(error);
      });
    }
    return workers.client;
  }

  return {
    name: target.name,
    probe: async () => {
      if (producer.status !== 'ready') throw new QueueError('unavailable', `Redis does not answer: ${lastError}`);
      // By a write: a Redis that answers may take nothing, such as one that is full.
      const there = await producer.eval(MARK, 2, marker, awaited, MARKER_LIFE);
      emptied ||= marked && there !== 1;
      await producer.bzpopmin(awaited, 1);
      if (refusal !== undefined && performance.now() - refusal.at < REFUSED)
        throw new QueueError('unavailable', refusal.reason);
      if (marked && !emptied) return { emptied: false };
      await requireNoEviction(producer);
      const found = emptied;
      [marked, emptied] = [true, false];
      return { emptied: found };
    },
    reasonOf: (error) => (messageOf(error).startsWith(UNCONNECTED) ? lastError : reasonOf(error, prefix)),
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
      worker.on('error', (error) => {
        log.debug({ queue: name, reason: messageOf(error) }, 'job worker');
        workerFailed(error);
      });
      return await readied(worker);
    },
    close: async () => {
      if (producer.status === 'ready') await producer.del(marker, awaited).catch(() => undefined);
      producer.disconnect();
      workers.client?.disconnect();
    },
  };
}

/** So ioredis says that there is no connection, and not why. */
const UNCONNECTED = "Stream isn't writeable";

const UNVERIFIED = [
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
];

/** What went wrong, and what to do where an admin can do something. */
function reasonOf(error: unknown, prefix: string): string {
  // It is told already.
  if (error instanceof QueueError) return error.message;
  const reason = plainReason(error);
  if (UNVERIFIED.includes(codeOf(causeOf(error)) ?? ''))
    return `its certificate cannot be verified (${reason}): name the file of its authority in \`queue:\`, as rediss://...?ca=FILE`;
  const ofSentinels = SENTINELS.exec(reason)?.[1];
  if (ofSentinels !== undefined)
    return `no Sentinel answers: ${ofSentinels.replace(/\.$/, '')}${
      /^(WRONGPASS|NOAUTH) /.test(ofSentinels) ? ': set `sentinelUsername` and `sentinelPassword` in `queue:`' : ''
    }`;
  const advice = adviceFor(reason);
  return advice === undefined ? reason : `${reason.replace(/\.$/, '')}: ${advice.replace('PREFIX', prefix)}`;
}

/** What the last Sentinel said, of all that were asked. */
const SENTINELS = /^All sentinels are unreachable\b.* Last error: (.*)$/s;

/** What the last node of a cluster said, of all that were asked. */
function causeOf(error: unknown): unknown {
  return error instanceof Error && 'lastNodeError' in error && error.lastNodeError instanceof Error
    ? error.lastNodeError
    : error;
}

/** A script says where in it, which is of no use to an admin. */
function plainReason(error: unknown): string {
  return messageOf(causeOf(error)).replace(/ script: [0-9a-f]{40}, on @user_script:\d+\.?/, '');
}

function adviceFor(reason: string): string | undefined {
  return ADVICE.find(([shape]) => shape.test(reason))?.[1];
}

/** What to do about a refusal of Redis. */
const ADVICE = [
  [/^OOM /, 'Redis is full: raise its `maxmemory`'],
  [/^MISCONF /, 'Redis cannot write to its disk: make room there'],
  [
    /^NOPERM |^ERR The user executing the script|ACL failure/,
    'let the user of `queue:` do what is needed: ACL SETUSER ... ~PREFIX:* +@all -@dangerous +info',
  ],
  [/^READONLY /, 'it is a replica: name the primary in `queue:`, or Sentinels that know it'],
  [/^WRONGPASS /, 'set user and password of `queue:`'],
  [/^NOAUTH /, 'name user and password in `queue:`'],
] as const;

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
