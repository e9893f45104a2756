import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { parseConfig, PROGRAM_FOLDER } from '../../src/config/load.js';

const read = async (file: string): Promise<string> => await readFile(path.join(PROGRAM_FOLDER, file), 'utf8');

/** How long a stop may take, s: sessions, then deliveries, and what lies between them. */
async function longestStop(): Promise<number> {
  const { config } = await parseConfig('', '/');
  return (2 * config.smtp.timeouts.stop) / 1000 + 20;
}

/** Sets variables for as long as the work takes. */
async function within<T>(variables: Readonly<Record<string, string>>, work: () => Promise<T>): Promise<T> {
  Object.assign(process.env, variables);
  try {
    return await work();
  } finally {
    for (const name of Object.keys(variables)) Reflect.deleteProperty(process.env, name);
  }
}

const service = z.looseObject({
  image: z.string(),
  networks: z.union([z.array(z.string()), z.record(z.string(), z.looseObject({ ipv4_address: z.string() }))]),
  volumes: z.array(z.string()).default([]),
  depends_on: z.record(z.string(), z.object({ condition: z.literal('service_healthy') })).default({}),
  healthcheck: z.looseObject({ test: z.array(z.string()) }).optional(),
  build: z.string().optional(),
  deploy: z.object({ resources: z.object({ limits: z.object({ cpus: z.string(), memory: z.string() }) }) }),
  command: z.array(z.string()).default([]),
});
const compose = z.looseObject({
  services: z.record(z.string(), service),
  networks: z.record(z.string(), z.unknown()),
  volumes: z.record(z.string(), z.unknown()),
});

describe('docker-compose.yml', () => {
  const file = async (): Promise<z.output<typeof compose>> =>
    compose.parse(parse(await read('docker-compose.yml'), { merge: true }));

  it('names only networks, volumes, services and files that there are, and bounds every service', async () => {
    const { services, networks, volumes } = await file();
    for (const [name, one] of Object.entries(services)) {
      const joined = Array.isArray(one.networks) ? one.networks : Object.keys(one.networks);
      for (const network of joined) expect(Object.keys(networks), name).toContain(network);
      for (const needed of Object.keys(one.depends_on)) expect(Object.keys(services), name).toContain(needed);
      for (const volume of one.volumes) {
        const [source = ''] = volume.split(':');
        if (source.startsWith('./')) expect((await read(source).catch(() => 'folder')).length).toBeGreaterThan(0);
        else expect(Object.keys(volumes), name).toContain(source);
      }
      // Those of our own image have theirs in the Dockerfile.
      expect(one.healthcheck !== undefined || one.build !== undefined, `${name} has a health check`).toBe(true);
    }
    const roles = Object.values(services).flatMap(({ command }) =>
      command.filter((_, i) => command[i - 1] === '--role'),
    );
    expect(roles.sort()).toEqual(['gateway', 'gateway', 'worker', 'worker']);
  });

  it('has a configuration that loads, and trusts the PROXY lines of the balancer alone', async () => {
    const { services } = await file();
    const text = await read('deploy/compose/gatepost.yaml');
    const variables = { GATEPOST_DOMAIN: 'example.org', POSTGRES_PASSWORD: 'secret' };
    const { config, warnings } = await within(variables, () => parseConfig(text, '/'));
    expect(warnings).toEqual([]);
    const { networks } = services['balancer'] ?? { networks: [] };
    const address = Array.isArray(networks) ? undefined : networks['mail']?.ipv4_address;
    expect(config.smtp.proxyProtocol).toEqual([address]);
    const hosts = [config.queue, config.store].map((url) => new URL(url).hostname);
    for (const host of hosts) expect(Object.keys(services)).toContain(host);
    const port = config.http.listen[0]?.port;
    expect(await read('Dockerfile')).toContain(`http://127.0.0.1:${port}/healthz`);
    expect(await read('deploy/compose/haproxy.cfg')).toContain(`check port ${port}`);
  });

  it('waits for a stop as long as that may take', async () => {
    const { services } = await file();
    for (const name of ['gateway1', 'gateway2', 'worker1', 'worker2'])
      expect(services[name]?.['stop_grace_period'], name).toBe('90s');
    expect(90).toBeGreaterThan(await longestStop());
  });

  it('runs a Redis that evicts nothing and keeps a log of what it holds', async () => {
    const { services } = await file();
    expect(services['redis']?.command.join(' ')).toMatch(/--appendonly yes.*--maxmemory-policy noeviction/);
  });
});

it('the Dockerfile copies only what there is, and all that the program is made of', async () => {
  const lines = (await read('Dockerfile'))
    .split('\n')
    .filter((line) => line.startsWith('COPY ') && !line.includes('--from='));
  const sources = new Set(lines.flatMap((line) => line.split(' ').slice(1, -1)));
  for (const source of sources) expect(existsSync(path.join(PROGRAM_FOLDER, source)), source).toBe(true);
  for (const folder of ['src', 'bin', 'rules', 'templates', 'scripts']) expect(sources).toContain(folder);
});

it('the Kubernetes manifest has a configuration that loads, and probes for each pod', async () => {
  const documents = parseAllDocuments(await read('deploy/kubernetes/gatepost.yaml')).map((document) => {
    const value: unknown = document.toJS();
    return value;
  });
  const kinds = documents.map((document) => z.looseObject({ kind: z.string() }).parse(document).kind);
  expect(kinds).toEqual([
    ...['ConfigMap', 'Service', 'Service', 'StatefulSet', 'PodDisruptionBudget', 'Deployment', 'PodDisruptionBudget'],
  ]);
  const { data } = z.looseObject({ data: z.object({ 'gatepost.yaml': z.string() }) }).parse(documents[0]);
  const variables = { REDIS_URL: 'redis://r:6379', POSTGRES_URL: 'postgres://u:p@p/db' };
  const { warnings } = await within(variables, () => parseConfig(data['gatepost.yaml'], '/'));
  expect(warnings).toEqual([]);
  const pod = z.looseObject({
    spec: z
      .object({
        template: z.looseObject({
          spec: z.looseObject({
            terminationGracePeriodSeconds: z.number(),
            containers: z.tuple([
              z.looseObject({ livenessProbe: z.unknown(), readinessProbe: z.unknown(), securityContext: z.unknown() }),
            ]),
          }),
        }),
      })
      .loose(),
  });
  const [gateway] = [3, 5].map((i) => pod.parse(documents[i]));
  expect(gateway?.spec.template.spec.terminationGracePeriodSeconds).toBeGreaterThan(5 + (await longestStop()));
});

it('the systemd unit stops later than sessions and queues do, and may write its state alone', async () => {
  const unit = await read('deploy/systemd/gatepost.service');
  const stop = Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1]);
  expect(stop).toBeGreaterThan(await longestStop());
  for (const line of ['ProtectSystem=strict', 'NoNewPrivileges=yes', 'StateDirectory=gatepost', 'User=gatepost'])
    expect(unit.split('\n')).toContain(line);
});

it('wherever the program is started with a configuration, its commands find the same one', async () => {
  const file = '/etc/gatepost/gatepost.yaml';
  for (const name of [
    'Dockerfile',
    'docker-compose.yml',
    'deploy/systemd/gatepost.service',
    'deploy/kubernetes/gatepost.yaml',
  ])
    expect(await read(name), name).toMatch(new RegExp(`GATEPOST_CONFIG(=|: |, value: )${file}`));
});

it('the unit leaves it to the start to refuse: a check before it would also stop --last-good and mistakes in test cases', async () => {
  expect(await read('deploy/systemd/gatepost.service')).not.toContain('ExecStartPre');
  expect(await read('docs/containers.md')).toContain('`data: /var/lib/gatepost`');
});
