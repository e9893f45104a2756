import { mkdtemp, chmod, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startEmbedded, type EmbeddedServer } from '../../src/store/embedded/start.js';
import { openStoreForCommand, type OpenStore } from '../../src/store/open.js';
import { silentLog } from '../../src/telemetry/log.js';
import { startBalancer, type Balancer } from '../support/balancer.js';
import { startFakeSmtp, type FakeSmtp } from '../support/fake-smtp.js';
import { freePort } from '../support/free-port.js';
import { makeSite, spawnGateway, type Site, type SpawnedGateway } from '../support/gateway.js';
import { startRedis, type TestRedis } from '../support/redis.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { GENERAL, RULES } from './mails.js';
import { CONNECTIONS, LIFE } from './places.js';
import type { Records } from './records.js';
import type { FakeScript } from '../support/fake-smtp.js';

/** What a node reaches over a network that can be spoiled. */
export const LINKS = ['redis', 'store', 'hop', 'server'] as const;
export type Link = (typeof LINKS)[number];

/** People who are told of events. */
export const WATCH = 'noc@example.org';
/** Between two mails about changes of events, ms. */
export const CHANGE_INTERVAL = 5000;

export interface FleetNode {
  readonly name: string;
  readonly role: 'gateway' | 'worker';
  readonly site: Site;
  /** Of a gateway: spool and outbox lie in it. */
  readonly data: string;
  readonly port: number;
  readonly pages: number;
  readonly links: Readonly<Record<Link, TcpProxy>>;
  /** Name of the life that runs, or ran last. */
  readonly life: string;
  readonly process: SpawnedGateway;
  /** Begins its next life. */
  start(): void;
  /** SIGKILL, or SIGTERM and its end. */
  end(how: 'kill' | 'stop'): Promise<void>;
}

export interface Fleet {
  readonly redis: TestRedis;
  readonly database: EmbeddedServer;
  /** The store by a way of its own, that nothing spoils. */
  readonly store: OpenStore;
  readonly hop: FakeSmtp;
  readonly server: FakeSmtp;
  readonly balancer: Balancer;
  readonly nodes: readonly FleetNode[];
  readonly gateways: readonly FleetNode[];
  readonly workers: readonly FleetNode[];
  /** Ends of processes that nobody wanted, with what they said last. */
  readonly deaths: readonly string[];
  /** Lines of all lives that are errors. */
  errors(): string[];
  dispose(): Promise<void>;
}

export interface FleetOptions {
  readonly gateways: number;
  readonly workers: number;
  /** Address of the queue, where it is another than that of `redis` behind the network. */
  readonly queue?: string;
  /** Address of a receiver of webhooks. */
  readonly webhook: { readonly url: string; readonly secret: string };
  readonly hop: { readonly script: FakeScript; readonly records: Records };
  readonly server: { readonly script: FakeScript; readonly records: Records };
}

/** Name of the node whose life it is. */
export function nodeOf(life: string): string {
  return life.split('-')[0] ?? '';
}

/** Gateways behind a balancer and workers, each a process of its own, on one Redis (AOF) and one PostgreSQL. */
export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const folder = await mkdtemp(path.join(tmpdir(), 'gatepost-fleet-'));
  await chmod(folder, 0o755);
  const [redis, database, hop, server] = await Promise.all([
    startRedis(['--appendonly', 'yes', '--appendfsync', 'everysec', '--maxmemory-policy', 'noeviction']),
    startEmbedded({ dataFolder: folder, log: silentLog(), clients: options.gateways + options.workers + 1 }),
    startFakeSmtp({
      script: options.hop.script,
      onMail: (...all) => options.hop.records.note(...all),
    }),
    startFakeSmtp({
      script: options.server.script,
      onMail: (...all) => options.server.records.note(...all),
    }),
  ]);
  const store = await openStoreForCommand({ store: database.url, data: folder });
  if (store === undefined) throw new Error('there is no database');
  const { host = '', port: databasePort = 0 } = database.connection;
  const target = host.startsWith('/') ? path.join(host, `.s.PGSQL.${databasePort}`) : databasePort;
  const targets = { redis: () => redis.port, store: () => target, hop: () => hop.port, server: () => server.port };
  const deaths: string[] = [];
  const errors: string[] = [];

  async function makeNode(name: string, role: FleetNode['role']): Promise<FleetNode> {
    const links = {
      redis: await startTcpProxy(targets.redis),
      store: await startTcpProxy(targets.store),
      hop: await startTcpProxy(targets.hop),
      server: await startTcpProxy(targets.server),
    };
    const [port, pages] = [await freePort(), await freePort()];
    const storeUrl = new URL(database.url);
    storeUrl.searchParams.delete('host');
    storeUrl.host = `127.0.0.1:${links.store.port}`;
    const site = await makeSite(
      `node: { name: ${name} }
data: ./data
smtp: { listen: ["127.0.0.1:${port}"], hostname: "\${${LIFE}}", proxyProtocol: ["127.0.0.1"], maxConnectionsPerClient: 200, timeouts: { stop: 3s } }
domains: [example.org]
delivery:
  nextHop: "smtp://127.0.0.1:${links.hop.port}?tls=off"
  inlineTimeout: 1s
  connections: ${CONNECTIONS}
  retry: { delays: [500ms], lifetime: 1h }
detectors: { content: {} }
scan: { threads: 1 }
health: 1s
http: { listen: "127.0.0.1:${pages}" }
notifications:
  server: "smtp://127.0.0.1:${links.server.port}?tls=off"
  general: [${GENERAL}]
  rate: off
  retry: { delays: [500ms], lifetime: 1h }
  events: { changeInterval: ${CHANGE_INTERVAL}ms, recipients: [ { to: [${WATCH}] } ] }
  webhooks: [ { url: "${options.webhook.url}", secret: "${options.webhook.secret}", kinds: [rule, event], timeout: 2s } ]
queue: "${options.queue ?? `redis://127.0.0.1:${links.redis.port}`}"
store: "${storeUrl.href}"
`,
      { 'rules/50-torture.yaml': RULES },
    );
    const state: { lives: number; process: SpawnedGateway | undefined; wanted: boolean } = {
      lives: 0,
      process: undefined,
      wanted: false,
    };
    const lifeName = (): string => `${name}-${state.lives}.example.org`;
    const current = (): SpawnedGateway => {
      if (state.process === undefined) throw new Error(`${name} was never started`);
      return state.process;
    };
    return {
      name,
      role,
      site,
      data: path.join(site.folder, 'data'),
      port,
      pages,
      links,
      get life() {
        return lifeName();
      },
      get process() {
        return current();
      },
      start: () => {
        state.lives += 1;
        state.wanted = false;
        const life = lifeName();
        const started = spawnGateway(site, { [LIFE]: life }, ['--role', role]);
        started.ready.catch(() => undefined);
        started.process.once('exit', (code, signal) => {
          errors.push(...started.log.filter((line) => line.includes('"level":50')).map((line) => `${life}: ${line}`));
          if (state.wanted && state.process === started && (signal === 'SIGKILL' || code === 0)) return;
          deaths.push(`${life} ended with ${String(code ?? signal)}:\n${started.log.slice(-30).join('\n')}`);
        });
        state.process = started;
      },
      end: async (how) => {
        state.wanted = true;
        await current()[how]();
      },
    };
  }

  const nodes: FleetNode[] = [];
  for (let i = 1; i <= options.gateways; i++) nodes.push(await makeNode(`gw${i}`, 'gateway'));
  for (let i = 1; i <= options.workers; i++) nodes.push(await makeNode(`w${i}`, 'worker'));
  const gateways = nodes.filter(({ role }) => role === 'gateway');
  const balancer = await startBalancer(gateways);
  for (const node of nodes) node.start();
  return {
    redis,
    database,
    store,
    hop,
    server,
    balancer,
    nodes,
    gateways,
    workers: nodes.filter(({ role }) => role === 'worker'),
    deaths,
    errors: () => errors,
    dispose: async () => {
      await balancer.close();
      await Promise.all(
        nodes.map(async (node) => {
          node.process.process.kill('SIGCONT');
          await node.end('kill');
        }),
      );
      await Promise.all(nodes.flatMap(({ links }) => LINKS.map(async (link) => await links[link].close())));
      await Promise.all(nodes.map(async ({ site }) => await site.remove()));
      await Promise.all([hop.close(), server.close(), redis.dispose(), store.close()]);
      await database.stop();
      await rm(database.folder, { recursive: true, force: true });
      await rm(folder, { recursive: true, force: true });
    },
  };
}
