import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Cluster, Redis } from 'ioredis';
import { parseRedisUrl, type RedisTarget } from '../config/redis-url.js';
import { messageOf } from '../store/errors.js';
import { QueueError } from './errors.js';

export type RedisClient = Redis | Cluster;

/** A Redis that can be connected to. */
export interface ReadyTarget extends Omit<RedisTarget, 'ca'> {
  /** Certificate authority (PEM). */
  readonly ca?: string;
}

/**
 * Reads `queue:` and the file that it names. @param folder that relative paths count from
 * @throws QueueError `refused` for what is wrong with either
 */
export async function redisTarget(url: string, folder: string): Promise<ReadyTarget> {
  const target = parseRedisUrl(url);
  if ('error' in target) throw new QueueError('refused', `queue: ${target.error}`);
  const { ca, ...rest } = target;
  if (ca === undefined) return rest;
  try {
    return { ...rest, ca: await readFile(path.resolve(folder, ca), 'utf8') };
  } catch (error) {
    throw new QueueError('refused', `queue: the file of \`ca\` cannot be read: ${messageOf(error)}`);
  }
}

/**
 * A connection that is made anew for ever when it breaks.
 * @param patience ms that a command waits for its answer; with it commands fail at once while there is no connection
 * @param onReplica told what a replica says that takes no writes: commands only fail for want of a connection then
 */
export function connectRedis(target: ReadyTarget, patience?: number, onReplica?: (error: Error) => void): RedisClient {
  const { kind, hosts, group, username, password, sentinelUsername, sentinelPassword, database, tls, ca } = target;
  const secure = ca === undefined ? {} : { ca };
  const common = {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls ? { tls: secure } : {}),
    connectTimeout: 2000,
    maxRetriesPerRequest: null,
    // A primary that was made a replica by a failover takes no writes: the present one is asked for.
    reconnectOnError: (error: Error): 2 | false => {
      if (!error.message.startsWith('READONLY')) return false;
      onReplica?.(error);
      return 2;
    },
    ...(patience === undefined ? {} : { commandTimeout: patience }),
  };
  const failFast = patience === undefined ? {} : { enableOfflineQueue: false };
  if (kind === 'cluster')
    return new Cluster([...hosts], {
      redisOptions: common,
      clusterRetryStrategy: pause,
      slotsRefreshTimeout: 2000,
      ...failFast,
    });
  if (kind === 'sentinel')
    return new Redis({
      ...common,
      ...failFast,
      db: database,
      sentinels: [...hosts],
      name: group ?? '',
      ...(sentinelUsername === undefined ? {} : { sentinelUsername }),
      ...(sentinelPassword === undefined ? {} : { sentinelPassword }),
      ...(tls ? { enableTLSForSentinelMode: true, sentinelTLS: secure } : {}),
      sentinelRetryStrategy: pause,
      retryStrategy: pause,
    });
  const [server] = hosts;
  return new Redis({ ...common, ...failFast, ...server, db: database, retryStrategy: pause });
}

/** The servers that hold data: all of them must keep it. */
export function primariesOf(client: RedisClient): readonly Redis[] {
  return client instanceof Cluster ? client.nodes('master') : [client];
}

function pause(times: number): number {
  return Math.min(50 * times, 1000);
}
