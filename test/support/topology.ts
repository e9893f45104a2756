import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { PROGRAM_FOLDER } from '../../src/config/load.js';
import { urlOf } from '../../src/store/embedded/address.js';
import { startBalancer, type Balancer } from './balancer.js';
import { startFakeSmtp, type FakeOptions, type FakeSmtp } from './fake-smtp.js';
import { freePort } from './free-port.js';
import { makeSite, spawnGateway, type Site, type SpawnedGateway } from './gateway.js';
import { startTestStore, type TestStore } from './postgres.js';
import { startRedis, type TestRedis } from './redis.js';

/** A gateway or a worker of the cluster: the folder of its container, and the process in it. */
export interface ClusterNode {
  readonly name: string;
  readonly role: 'gateway' | 'worker';
  readonly site: Site;
  /** Where it takes mail; of a worker, nothing. */
  readonly port: number;
  /** Where it serves its health. */
  readonly pages: number;
  /** The process that runs, or ran last. */
  process: SpawnedGateway;
  /** Starts it, without waiting until it is there. */
  start(): SpawnedGateway;
}

export interface Topology {
  readonly redis: TestRedis;
  readonly store: TestStore;
  readonly hop: FakeSmtp;
  readonly balancer: Balancer;
  readonly gateways: readonly ClusterNode[];
  readonly workers: readonly ClusterNode[];
  /** What all of them have logged, for a failure's message: lines that are no mere information. */
  complaints(): string;
  dispose(): Promise<void>;
}

export interface TopologyOptions {
  readonly gateways: number;
  readonly workers: number;
  /** Addresses of the engines, as in the configuration; default: they stay as they are. */
  readonly clamd?: string;
  readonly rspamd?: string;
  /** The address that the balancer names. */
  readonly client?: string;
  readonly hop?: FakeOptions;
  /** Port of the Redis as each node sees it; default: its own. */
  readonly redisPort?: (redis: TestRedis, node: string) => Promise<number> | number;
  /** Further changes of the configuration. */
  readonly change?: (config: string) => string;
  readonly rules?: string;
}

/** What the configuration is filled in with. */
export const ENVIRONMENT = { GATEPOST_DOMAIN: 'example.org', POSTGRES_PASSWORD: 'none' };

/** As in docker-compose.yml: lost as little as an append-only file loses, and it never evicts. */
const REDIS = ['--appendonly', 'yes', '--appendfsync', 'everysec', '--maxmemory-policy', 'noeviction'];

/**
 * What docker-compose.yml starts, as processes: Redis, PostgreSQL, gateways behind a balancer, workers, and a server that
 * takes all mail. They run on deploy/compose/gatepost.yaml, in which only hosts, ports and folders are other ones.
 */
export async function startTopology(options: TopologyOptions): Promise<Topology> {
  const [redis, store, hop] = await Promise.all([startRedis(REDIS), startTestStore(), startFakeSmtp(options.hop)]);
  const file = await readFile(path.join(PROGRAM_FOLDER, 'deploy', 'compose', 'gatepost.yaml'), 'utf8');
  const nodes: ClusterNode[] = [];
  for (const [role, count] of [
    ['gateway', options.gateways],
    ['worker', options.workers],
  ] as const)
    for (let i = 1; i <= count; i++) nodes.push(await makeNode(`${role}${i}`, role));

  async function makeNode(name: string, role: ClusterNode['role']): Promise<ClusterNode> {
    const [port, pages] = [await freePort(), await freePort()];
    const redisPort = (await options.redisPort?.(redis, name)) ?? redis.port;
    const config = replaceAll(file, [
      ['node: { comment: docker compose }', `node: { name: ${name}, comment: docker compose }`],
      ['data: /var/lib/gatepost', 'data: ./data'],
      ['0.0.0.0:2525', `127.0.0.1:${port}`],
      ['172.30.25.10', '127.0.0.1'],
      ['smtp://mailpit:1025', hop.url],
      ['redis://redis:6379', `redis://127.0.0.1:${redisPort}`],
      ['postgres://gatepost:${POSTGRES_PASSWORD}@postgres:5432/gatepost', `'${urlOf(store.store.connection)}'`],
      ['0.0.0.0:8025', `127.0.0.1:${pages}`],
      ['tcp://clamav:3310', options.clamd ?? 'tcp://clamav:3310'],
      ['http://rspamd:11333', options.rspamd ?? 'http://rspamd:11333'],
    ]);
    const rules: Record<string, string> = options.rules === undefined ? {} : { 'rules/50-test.yaml': options.rules };
    const site = await makeSite(options.change?.(config) ?? config, rules);
    const start = (): SpawnedGateway => spawnGateway(site, ENVIRONMENT, ['--role', role]);
    const node: ClusterNode = {
      name,
      role,
      site,
      port,
      pages,
      process: start(),
      start: () => {
        complained.push(...complaintsOf(node));
        node.process = start();
        return node.process;
      },
    };
    return node;
  }

  const complained: string[] = [];
  const gateways = nodes.filter(({ role }) => role === 'gateway');
  const balancer = await startBalancer(gateways, options.client);
  return {
    redis,
    store,
    hop,
    balancer,
    gateways,
    workers: nodes.filter(({ role }) => role === 'worker'),
    complaints: () => [...complained, ...nodes.flatMap(complaintsOf)].slice(-100).join('\n'),
    dispose: async () => {
      await balancer.close();
      await Promise.all(nodes.map(async (node) => await node.process.kill()));
      await Promise.all(nodes.map(async ({ site }) => await site.remove()));
      await hop.close();
      await Promise.all([redis.dispose(), store.stop()]);
    },
  };
}

function complaintsOf({ name, process: { log } }: ClusterNode): string[] {
  return log.filter((line) => !line.includes('"level":30')).map((line) => `${name}: ${line}`);
}

/** @throws when the file has changed so that something is not there any more */
function replaceAll(text: string, changes: readonly (readonly [string, string])[]): string {
  return changes.reduce((done, [from, to]) => {
    if (!done.includes(from)) throw new Error(`deploy/compose/gatepost.yaml has no ${from}`);
    return done.replaceAll(from, to);
  }, text);
}
