import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { simpleParser } from 'mailparser';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { urlOf } from '../../src/store/embedded/address.js';
import { startFakeSmtp, type FakeSmtp } from '../support/fake-smtp.js';
import { freePort } from '../support/free-port.js';
import { makeSite, spawnGateway, type Site, type SpawnedGateway } from '../support/gateway.js';
import { startTestStore, type TestStore } from '../support/postgres.js';
import { redisMissing, startRedis, type TestRedis } from '../support/redis.js';
import { until } from '../support/until.js';
import { tortureSettings } from './settings.js';

/** Debian's package faketime. */
const LIBRARY = '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1';
const { long } = tortureSettings(1);
const MINUTE = 60_000;
const SETS = ['noc@example.org', 'chef@example.org'] as const;

/** The clock of all nodes; databases keep the real time. */
class MovedClock {
  readonly #folder: string;
  #offset = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  get now(): number {
    return Date.now() + this.#offset;
  }

  get environment(): NodeJS.ProcessEnv {
    return {
      LD_PRELOAD: LIBRARY,
      FAKETIME_TIMESTAMP_FILE: path.join(this.#folder, 'clock'),
      FAKETIME_CACHE_DURATION: '1',
      // Timers run as they do: only what the clock on the wall says is another.
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      DONT_FAKE_MONOTONIC: '1',
    };
  }

  /** @param time ISO 8601 with an offset */
  async set(time: string): Promise<void> {
    this.#offset = Math.round((Date.parse(time) - Date.now()) / 1000) * 1000;
    await writeFile(path.join(this.#folder, 'clock'), `${this.#offset < 0 ? '' : '+'}${this.#offset / 1000}s\n`);
  }
}

interface Told {
  readonly kind: 'daily' | 'change';
  readonly to: string;
  readonly messageId: string;
  /** Of the node that sent it, ms since the epoch. */
  readonly time: number;
}

describe.skipIf(redisMissing || !existsSync(LIBRARY) || !long)('mails about events over moved clocks', () => {
  let redis: TestRedis;
  let store: TestStore;
  let server: FakeSmtp;
  let folder: string;
  let clock: MovedClock;
  const sites = new Map<string, Site>();
  const running = new Map<string, SpawnedGateway>();

  async function start(name: string, timezone: string): Promise<void> {
    const site =
      sites.get(name) ??
      (await makeSite(`node: { name: ${name}, timezone: ${timezone} }
smtp: { listen: ["127.0.0.1:0"] }
domains: [example.org]
health: 1s
delivery: { nextHop: "smtp://127.0.0.1:${await freePort()}?tls=off" }
notifications:
  server: "${server.url}?tls=off"
  events:
    at: "02:30"
    changeInterval: 15m
    recipients: [ { to: [${SETS[0]}] }, { to: [${SETS[1]}], language: de } ]
queue: "${redis.url}"
store: "${urlOf(store.store.connection)}"
`));
    sites.set(name, site);
    const gateway = spawnGateway(site, clock.environment);
    running.set(name, gateway);
    await gateway.ready;
  }

  async function end(name: string, how: 'kill' | 'stop'): Promise<void> {
    await running.get(name)?.[how]();
    running.delete(name);
  }

  async function told(kind: Told['kind']): Promise<readonly Told[]> {
    const all = await Promise.all(
      server.mails.map(async ({ bytes, rcptTo }): Promise<Told> => {
        const mail = await simpleParser(bytes);
        return {
          kind: /Daily report|Tagesbericht/.test(mail.subject ?? '') ? 'daily' : 'change',
          to: /<(.*)>/.exec(rcptTo[0] ?? '')?.[1] ?? '',
          messageId: mail.messageId ?? '',
          time: mail.date?.getTime() ?? 0,
        };
      }),
    );
    return all.filter((one) => one.kind === kind);
  }

  async function daily(each: number): Promise<void> {
    await until(
      `${each} daily mails for each set`,
      async () => {
        const mails = await told('daily');
        return SETS.every((to) => mails.filter((mail) => mail.to === to).length >= each);
      },
      60_000,
    );
    await quiet();
    const mails = await told('daily');
    expect(SETS.map((to) => mails.filter((mail) => mail.to === to).length)).toEqual([each, each]);
  }

  /** Several looks of every worker. */
  async function quiet(): Promise<void> {
    const end = Date.now() + 10_000;
    await until('looks', () => Promise.resolve(Date.now() > end));
  }

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'gatepost-clock-'));
    clock = new MovedClock(folder);
    [redis, store, server] = await Promise.all([
      startRedis(['--appendonly', 'yes']),
      startTestStore(),
      startFakeSmtp(),
    ]);
  }, 60_000);
  afterAll(async () => {
    for (const name of [...running.keys()]) await end(name, 'kill');
    for (const site of sites.values()) await site.remove();
    await server.close();
    await Promise.all([redis.dispose(), store.stop()]);
    await rm(folder, { recursive: true });
  }, 60_000);

  it('one daily mail a day and set: over daylight saving, downtime, and another control node', async () => {
    await clock.set('2026-03-27T20:00:00+01:00');
    await start('g1', 'Europe/Berlin');
    await start('g2', 'Europe/Berlin');
    await until('word of the next hops', async () => (await told('change')).length >= 2, 60_000);
    await clock.set('2026-03-27T20:20:00+01:00');
    await quiet();
    expect(await told('daily')).toEqual([]);

    await clock.set('2026-03-28T02:29:50+01:00');
    await quiet();
    await daily(1);
    // A day without 02:30: at the first moment behind the leap.
    await clock.set('2026-03-29T01:59:40+01:00');
    await quiet();
    await daily(1);
    await daily(2);
    await clock.set('2026-03-29T12:00:00+02:00');
    await quiet();
    await daily(2);

    // Nobody runs for three of them: one is made up.
    await end('g1', 'kill');
    await end('g2', 'stop');
    await clock.set('2026-04-02T09:00:00+02:00');
    await start('g1', 'Europe/Berlin');
    await start('g2', 'America/New_York');
    await daily(3);

    // A day that has 02:30 twice: at the first. Its control node dies just before.
    await clock.set('2026-10-25T02:00:00+02:00');
    await daily(4);
    const control = (await store.store.nodes.control())?.name;
    expect(control).toBe('g1');
    await clock.set('2026-10-25T02:29:50+02:00');
    await end('g1', 'kill');
    await daily(5);
    await clock.set('2026-10-25T02:29:55+01:00');
    await quiet();
    await daily(5);
    // The other one is the control node by now, in whose zone it is not that day's 02:30 yet: no second one for the date.
    await until('the hand-over', async () => (await store.store.nodes.control())?.name === 'g2', 60_000);
    await clock.set('2026-10-25T02:31:00-04:00');
    await quiet();
    await daily(5);
    await clock.set('2026-10-26T02:30:05-04:00');
    await daily(6);

    const changes = await told('change');
    for (const to of SETS) {
      const times = changes.filter((mail) => mail.to === to).map(({ time }) => time);
      const gaps = times.slice(1).map((time, i) => time - (times[i] ?? 0));
      // Dates are in whole seconds.
      expect(gaps.filter((gap) => gap < 15 * MINUTE - 1000)).toEqual([]);
    }
    const ids = [...changes, ...(await told('daily'))].map(({ messageId, to }) => `${messageId} ${to}`);
    expect(new Set(ids).size).toBe(ids.length);
  }, 900_000);
});
