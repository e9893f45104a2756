import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { simpleParser } from 'mailparser';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { version } from '../../src/config/version.js';
import type { MembershipTimes } from '../../src/gateway/nodes/membership.js';
import { openSettings } from '../../src/gateway/reload/open-settings.js';
import { startWorker, type Worker } from '../../src/gateway/worker.js';
import { urlOf } from '../../src/store/embedded/address.js';
import type { NodeFacts } from '../../src/store/node-types.js';
import { silentLog } from '../../src/telemetry/log.js';
import { startFakeSmtp, type FakeSmtp } from '../support/fake-smtp.js';
import { makeSite, spawnGateway, type Site, type SpawnedGateway } from '../support/gateway.js';
import { startTestStore, type TestStore } from '../support/postgres.js';
import { redisMissing, startRedis, type TestRedis } from '../support/redis.js';
import { until } from '../support/until.js';

/** A working day of a cluster in a few seconds, as the control node sees it. A process says every five seconds that it lives. */
const TIMES: Partial<MembershipTimes> = { beat: 100, lease: 3000, steady: 300, silence: 8000, differ: 500 };

function rulesOf(action: string): string {
  return `rules:\n  - { id: inbound, name: Inbound, match: { recipient: ["*@example.org"] }, on: { malware: { action: ${action} } } }\n`;
}

describe.skipIf(redisMissing)('two workers, and mails about their events', () => {
  let redis: TestRedis;
  let store: TestStore;
  let server: FakeSmtp;
  const sites: Site[] = [];
  let control: Worker;
  let other: SpawnedGateway;

  async function site(name: string, timezone: string, action: string): Promise<Site> {
    const made = await makeSite(
      `node: { name: ${name}, address: 10.0.0.11, comment: "rack 2", timezone: ${timezone} }
domains: [example.org]
health: 1s
delivery: { nextHop: "${server.url}?tls=off" }
notifications: { events: { changeInterval: 1s, recipients: [ { to: [noc@example.org] } ] } }
queue: "${redis.url}"
store: "${urlOf(store.store.connection)}"
`,
      { 'rules/50-test.yaml': rulesOf(action) },
    );
    sites.push(made);
    return made;
  }

  async function start({ config, folder }: Site): Promise<Worker> {
    const opened = await openSettings({ purpose: 'gateway', file: config, cwd: folder, lastGood: false });
    return await startWorker(opened, silentLog(), TIMES);
  }

  /** A node that says of itself what the test has it say. */
  function node(name: string, given: Partial<NodeFacts> = {}) {
    const identity = { installation: randomUUID(), run: randomUUID() };
    const { nodes } = store.store;
    const beat = async (): Promise<void> => {
      const rules = (await nodes.list()).find((node) => node.name === 'w1')?.rules ?? '';
      const facts = { name, roles: ['worker'] as const, address: '10.0.0.12', port: 0, comment: '', timezone: 'UTC' };
      expect(await nodes.beat({ ...facts, version: version(), rules, clock: 0, ...given }, identity)).toBeUndefined();
    };
    return { beat, leave: async () => await nodes.leave(name, identity) };
  }

  async function change(sql: string): Promise<void> {
    const client = new pg.Client(store.store.connection);
    await client.connect();
    try {
      await client.query(sql);
    } finally {
      await client.end();
    }
  }

  async function nodesWith(event: string): Promise<readonly string[]> {
    const active = await store.store.events.active();
    return active
      .filter((each) => each.event === event)
      .map(({ node }) => node)
      .sort();
  }

  async function holds(event: string, ...nodes: readonly string[]): Promise<void> {
    await until(
      `${event} of ${nodes.join() || 'nobody'}`,
      async () => (await nodesWith(event)).join() === nodes.join(),
    );
  }

  async function mailsWith(subject: RegExp) {
    const parsed = await Promise.all(server.mails.map(async ({ bytes }) => await simpleParser(bytes)));
    return parsed.filter((mail) => subject.test(mail.subject ?? ''));
  }

  async function told(subject: RegExp) {
    return await until(`a mail ${subject}`, async () => (await mailsWith(subject))[0]);
  }

  beforeAll(async () => {
    [redis, store, server] = await Promise.all([startRedis(), startTestStore(), startFakeSmtp()]);
    const [first, second] = [
      await site('w1', 'Pacific/Kiritimati', 'reject'),
      await site('w2', 'Pacific/Pago_Pago', 'discard'),
    ];
    control = await start(first);
    other = spawnGateway(second, {}, ['--role', 'worker']);
    await other.ready;
  });
  afterAll(async () => {
    await other.kill();
    await control.close();
    for (const made of sites) await made.remove();
    await server.close();
    await Promise.all([redis.dispose(), store.stop()]);
  });

  it('rules that differ: raised for the node that is alone, and told', async () => {
    await holds('settings-differ', 'w2');
    const { text } = await told(/warning: Settings of nodes differ/);
    expect(text).toContain('w2');
    expect(text).toMatch(/bring the same rules, lists, templates and domains to all\s+nodes/);
  });

  it('the same rules again, which it takes over by itself: over, and told', async () => {
    const [, second] = sites;
    await writeFile(path.join(second?.folder ?? '', 'rules/50-test.yaml'), rulesOf('reject'));
    await holds('settings-differ');
    await told(/over: .*[Ss]ettings/);
  });

  it('a node that is silent is missed until it is back; one that was stopped, or removed, is not', async () => {
    const gone = node('gone');
    await gone.beat();
    await holds('node-unavailable', 'gone');
    const { text } = await told(/error: Node unreachable/);
    expect(text).toContain('gatepost nodes remove gone');
    expect(text).toContain('10.0.0.12');
    await gone.beat();
    await holds('node-unavailable');
    await told(/over: Node unreachable/);
    await gone.leave();
    await store.store.nodes.remove('gone');
    await holds('node-unavailable');
  });

  it('another version, and a Redis that may evict: cluster-misconfigured, each of its own', async () => {
    const old = node('old', { version: '0.0.1' });
    await old.beat();
    await holds('cluster-misconfigured', 'old');
    await old.leave();
    await holds('cluster-misconfigured');
    await redis.command('CONFIG SET maxmemory-policy allkeys-lru');
    await holds('cluster-misconfigured', 'w1', 'w2');
    await until('the line to change in the mail', async () =>
      (await mailsWith(/Cluster misconfigured/)).some(({ text }) => /maxmemory-policy\s+noeviction/.test(text ?? '')),
    );
  });

  it('each of them was sent once', () => {
    const ids = server.mails.map(({ bytes }) => /^Message-ID: .*$/m.exec(bytes.toString('latin1'))?.[0]);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('a program that is older than the database does not start, and says that it is to be updated', async () => {
    const late = await site('w3', 'UTC', 'reject');
    await change(`INSERT INTO gatepost.migration (version, name) VALUES (99999, 'later')`);
    await expect(start(late)).rejects.toThrow(/schema version 99999.*update Gatepost on this node/);
  });
});
