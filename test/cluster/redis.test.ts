import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { openQueue } from '../../src/queue/open.js';
import type { QueueBackend } from '../../src/queue/types.js';
import { silentLog } from '../../src/telemetry/log.js';
import { REDIS_SERVER, redisMissing } from '../support/redis.js';
import { freePort } from '../support/free-port.js';
import { until } from '../support/until.js';

const noStore = { name: 'unused', connection: {} };
const quick = { backoff: () => 50, interval: 100 };
const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function open(queue: string, folder = '/'): Promise<QueueBackend> {
  const backend = await openQueue({ queue, folder }, noStore, silentLog(), quick);
  closers.push(async () => await backend.close(500));
  return backend;
}

/** A queue with a worker. @returns what has run */
function work(backend: QueueBackend): Set<string> {
  const seen = new Set<string>();
  backend.queue<string>('work').process(2, (data) => {
    seen.add(data);
    return Promise.resolve('done');
  });
  return seen;
}

async function temporary(): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'gatepost-redis-'));
  closers.push(async () => await rm(folder, { recursive: true, force: true }));
  return folder;
}

function client(port: number, database = 0, password?: string): Redis {
  const made = new Redis({
    port,
    db: database,
    retryStrategy: () => 50,
    // A server may take its time to start.
    maxRetriesPerRequest: null,
    ...(password === undefined ? {} : { password }),
  });
  made.on('error', () => undefined);
  closers.push(() => {
    made.disconnect();
    return Promise.resolve();
  });
  return made;
}

interface Server {
  readonly port: number;
  kill(): Promise<void>;
}

async function serve(lines: readonly string[], mode: readonly string[] = [], password?: string): Promise<Server> {
  const [folder, port] = [await temporary(), await freePort()];
  const file = path.join(folder, 'redis.conf');
  const common = [`port ${port}`, 'bind 127.0.0.1', `dir ${folder}`, 'protected-mode no'];
  await writeFile(file, [...common, ...(mode.length > 0 ? [] : ['save ""']), ...lines, ''].join('\n'));
  const child: ChildProcess = spawn(REDIS_SERVER, [file, ...mode], { stdio: 'ignore' });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await gone;
  };
  closers.push(kill);
  const probe = client(port, 0, password);
  await until('redis-server', async () => await probe.ping());
  return { port, kill };
}

describe.skipIf(redisMissing)('Redis of every kind', () => {
  it('a user with a password, a database and a prefix: nothing is written elsewhere', async () => {
    const redis = await serve(['requirepass secret', 'user mail on >pw ~* &* +@all'], [], 'secret');
    const backend = await open(`redis://mail:pw@127.0.0.1:${redis.port}/3?prefix=mx1`);
    expect(backend.available).toBe(true);
    expect(backend.name).toBe(`redis://127.0.0.1:${redis.port}/3`);
    const seen = work(backend);
    await backend.queue<string>('work').add('a', 'a');
    await until('the job', () => Promise.resolve(seen.has('a')));
    const keys = await client(redis.port, 3, 'secret').keys('*');
    expect(keys.length).toBeGreaterThan(0);
    expect(keys.filter((key) => !key.startsWith('mx1:'))).toEqual([]);
    expect(await client(redis.port, 0, 'secret').dbsize()).toBe(0);
    const wrong = await open(`redis://mail:guess@127.0.0.1:${redis.port}/3`);
    expect(wrong.available).toBe(false);
  });

  it('TLS: the authority is named; with none, or with another one, the log says why and what to do', async () => {
    const [port, tls] = [await freePort(), path.join(import.meta.dirname, '..', 'fixtures', 'tls')];
    const [cert, key] = [path.join(tls, 'cert.pem'), path.join(tls, 'key.pem')];
    await serve([`tls-port ${port}`, `tls-cert-file ${cert}`, `tls-key-file ${key}`, 'tls-auth-clients no']);
    const backend = await open(`rediss://127.0.0.1:${port}?ca=cert.pem`, tls);
    const seen = work(backend);
    await backend.queue<string>('work').add('a', 'a');
    await until('the job', () => Promise.resolve(seen.has('a')));

    for (const wrong of ['', '?ca=other-name.pem']) {
      const lines: string[] = [];
      const log = pino({ level: 'warn' }, { write: (line) => void lines.push(line) });
      const target = { queue: `rediss://127.0.0.1:${port}${wrong}`, folder: tls };
      const refused = await openQueue(target, noStore, log, quick);
      closers.push(async () => await refused.close(500));
      expect(refused.available).toBe(false);
      expect(lines.join('')).toMatch(/certificate cannot be verified \(.*name the file of its authority/);
    }
  });

  it('a wrong password of a cluster or of Sentinels, and a replica in place of the primary: the reason says what to do', async () => {
    const trouble = async (queue: string, shape: RegExp): Promise<void> => {
      const backend = await open(queue);
      expect(backend.available).toBe(false);
      await expect.poll(() => backend.trouble).toMatch(shape);
    };
    const primary = await serve([]);
    const node = await serve(
      ['cluster-enabled yes', 'cluster-config-file nodes.conf', 'requirepass secret'],
      [],
      'secret',
    );
    const sentinel = await serve(
      [`sentinel monitor gate 127.0.0.1 ${primary.port} 1`, 'requirepass secret'],
      ['--sentinel'],
      'secret',
    );
    const replica = await serve([`replicaof 127.0.0.1 ${primary.port}`]);
    await trouble(`redis+cluster://:guess@127.0.0.1:${node.port}`, /WRONGPASS .*: set user and password of `queue:`$/);
    const sentinels = `redis+sentinel://127.0.0.1:${sentinel.port}/gate`;
    const advice = ': set `sentinelUsername` and `sentinelPassword` in `queue:`$';
    await trouble(`${sentinels}?sentinelPassword=guess`, new RegExp(`no Sentinel answers: WRONGPASS .*${advice}`));
    await trouble(sentinels, new RegExp(`no Sentinel answers: NOAUTH .*${advice}`));
    await trouble(
      `redis://127.0.0.1:${replica.port}`,
      /READONLY .*: it is a replica: name the primary in `queue:`, or Sentinels that know it$/,
    );
  });

  it('one that evicts is refused at the start, with the line to change', async () => {
    const redis = await serve(['maxmemory-policy volatile-lru']);
    await expect(open(`redis://127.0.0.1:${redis.port}`)).rejects.toThrow(
      /maxmemory-policy volatile-lru.*Put the line "maxmemory-policy noeviction" into redis\.conf/,
    );
  });

  it('a primary that dies: the Sentinel names the next, and what is added again after that runs', async () => {
    const primary = await serve([]);
    const replica = await serve([`replicaof 127.0.0.1 ${primary.port}`]);
    const look = client(replica.port);
    await until('replication', async () => (await look.info('replication')).includes('master_link_status:up'));
    const sentinel = await serve(
      [
        `sentinel monitor gate 127.0.0.1 ${primary.port} 1`,
        'sentinel down-after-milliseconds gate 300',
        'sentinel failover-timeout gate 1500',
      ],
      ['--sentinel'],
    );
    const asked = client(sentinel.port);
    await until('the Sentinel to know the replica', async () =>
      String(await asked.call('SENTINEL', 'replicas', 'gate')).includes(String(replica.port)),
    );
    const backend = await open(`redis+sentinel://127.0.0.1:${sentinel.port}/gate`);
    const seen = work(backend);
    const queue = backend.queue<string>('work');
    await queue.add('before', 'before');
    await until('the first job', () => Promise.resolve(seen.has('before')));

    // As the outbox does: what has no final state is added when the queue comes back.
    const owed = Array.from({ length: 50 }, (_, i) => `owed-${i}`);
    const addAll = async (): Promise<void> => {
      await Promise.allSettled(owed.filter((id) => !seen.has(id)).map(async (id) => await queue.add(id, id)));
    };
    backend.onAvailable(() => void addAll());
    await primary.kill();
    await addAll();
    await until('all that is owed', () => Promise.resolve(owed.every((id) => seen.has(id))));
    expect((await look.role())[0]).toBe('master');
  });

  it('a cluster of three: the keys of all queues lie where BullMQ can use them together', async () => {
    const cluster = ['cluster-enabled yes', 'cluster-node-timeout 1000', 'cluster-config-file nodes.conf'];
    const servers = await Promise.all([serve(cluster), serve(cluster), serve(cluster)]);
    const clients = servers.map(({ port }) => client(port));
    const slots = [0, 5461, 10923, 16384];
    await Promise.all(
      clients.map(
        async (each, i) =>
          await each.call('CLUSTER', 'ADDSLOTSRANGE', String(slots[i]), String((slots[i + 1] ?? 0) - 1)),
      ),
    );
    for (const { port } of servers.slice(1)) await clients[0]?.call('CLUSTER', 'MEET', '127.0.0.1', String(port));
    await until('the cluster', async () => {
      const infos = await Promise.all(clients.map(async (each) => await each.cluster('INFO')));
      return infos.every((info) => info.includes('cluster_state:ok') && info.includes('cluster_known_nodes:3'));
    });
    const backend = await open(`redis+cluster://${servers.map(({ port }) => `127.0.0.1:${port}`).join()}`);
    await until('the queue', () => Promise.resolve(backend.available));
    const seen = work(backend);
    await backend.queue<string>('work').addAll(['a', 'b', 'c'].map((id) => ({ id, data: id, delay: 0 })));
    await until('all jobs', () => Promise.resolve(seen.size === 3));
    const keys = (await Promise.all(clients.map(async (each) => await each.keys('*')))).flat();
    expect(keys.filter((key) => !key.startsWith('{gatepost}:'))).toEqual([]);

    // One of them that evicts is enough.
    await clients[2]?.config('SET', 'maxmemory-policy', 'allkeys-lru');
    expect(await backend.unfit()).toContain('maxmemory-policy noeviction');
  });
});

it('an address that is none, and a certificate that cannot be read, stop the start with what is wrong', async () => {
  await expect(open('redis://a,b')).rejects.toThrow('several hosts');
  await expect(open('rediss://127.0.0.1?ca=missing.pem')).rejects.toThrow(/`ca` cannot be read/);
});
