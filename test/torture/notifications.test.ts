import { describe, expect, it } from 'vitest';
import { parseConfig, type Config } from '../../src/config/load.js';
import { notificationId } from '../../src/notifications/identity.js';
import type { NotificationJob } from '../../src/notifications/job.js';
import { SendingDesk, sendingRules } from '../../src/notifications/rate/desk.js';
import { MemorySending } from '../../src/notifications/rate/memory.support.js';
import { NotificationSender } from '../../src/notifications/sender.js';
import { parseTemplate, type Templates } from '../../src/notifications/templates/load.js';
import type { MailTransport, OwedNotification, TransportResult } from '../../src/notifications/types.js';
import { silentLog } from '../../src/telemetry/log.js';
import { FakeClock, owedNotification } from '../notifications/support.js';

const LONG = process.env['TORTURE'] === 'long';
const CYCLES = LONG ? 1_000_000 : 600;
/** Owed at the same time; each round begins with an empty ledger. */
const ROUND = 5000;
const SEED = Number(process.env['TORTURE_SEED'] ?? '1');
const WORKERS = 3;

/** A short one: what is looked at here is how often it goes. */
const { template } = parseTemplate(
  'rule-general.hbs',
  'rule-general',
  'en',
  '---\nsubject: caught\n---\n{{messageId}}\n',
);
const templates: Templates = { get: () => template, names: ['rule-general'] };
const { config } = await parseConfig(
  'notifications: { rate: off, retry: { delays: [1m, 5m], lifetime: 100d } }',
  import.meta.dirname,
);

/** Random numbers from 0 to 1 that a seed repeats (mulberry32). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

class Killed extends Error {}

/** A worker that can be killed at any await: then nothing that it would have done comes to pass any more. */
class Worker {
  readonly sender: NotificationSender;
  private dead = false;
  /** What it gave to the server and has not recorded. */
  readonly inWindow = new Set<string>();

  constructor(world: World) {
    const alive = (): void => {
      if (this.dead) throw new Killed();
      if (world.chance(world.kills)) {
        this.dead = true;
        throw new Killed();
      }
    };
    const transport: MailTransport = {
      name: 'smtp://model:25',
      send: (mail) => {
        if (this.dead) return Promise.reject(new Killed());
        const result = world.deliver(mail.id);
        if (result.recipients[0]?.state === 'delivered') this.inWindow.add(mail.id);
        return Promise.resolve(result);
      },
    };
    const desk = new SendingDesk(
      {
        admit: async (asked, rules) => {
          alive();
          const answer = await world.store.admit(asked, rules);
          alive();
          return answer;
        },
        record: async (outcomes) => {
          alive();
          // A store that is away for a moment: the outcome stays in this worker's memory.
          if (world.chance(0.01)) {
            // The job may come to another worker before this one has told the ledger.
            world.windows += outcomes.length;
            throw new Error('the database is away');
          }
          await world.store.record(outcomes);
          for (const { entry } of outcomes) this.inWindow.delete(entry.id);
          alive();
        },
      },
      () => sendingRules(config.notifications, world.clock.now()),
    );
    this.sender = new NotificationSender({
      config: (): Config => config,
      desk,
      transport,
      templates,
      log: silentLog(),
      clock: world.clock,
    });
  }

  get killed(): boolean {
    return this.dead;
  }
}

/** The outbox, a queue that is wiped now and then, a server that fails now and then, and the ledger. */
class World {
  readonly store = new MemorySending();
  readonly clock = new FakeClock();
  readonly delivered = new Map<string, number>();
  readonly chance: (probability: number) => boolean;
  kills = 0.01;
  down = false;
  /** Mails that the server took and the ledger did not hear of in time. */
  windows = 0;
  /** Mails that were sent though the ledger had their outcome. */
  late = 0;

  constructor(next: () => number) {
    this.chance = (probability) => next() < probability;
  }

  deliver(id: string): TransportResult {
    if (this.store.rows.get(id)?.entry.state !== 'queued') this.late++;
    const fails = this.down || this.chance(0.05);
    if (!fails) this.delivered.set(id, (this.delivered.get(id) ?? 0) + 1);
    const reply = fails ? { code: 451, text: 'later' } : { code: 250, text: 'ok' };
    return { recipients: [{ address: '', state: fails ? 'deferred' : 'delivered', reply }], hopFailed: false };
  }
}

interface Round {
  readonly cycles: number;
  readonly kills: number;
  readonly duplicates: number;
}

/** Owes mails, and lets workers run and die until all have a final state. */
async function round(count: number, next: () => number): Promise<Round> {
  const world = new World(next);
  const owed = new Map<string, OwedNotification>();
  for (let n = 0; n < count; n++) {
    const one = owedNotification();
    const id = notificationId(one.traceId, one.template, `${one.to}${String(n)}`);
    owed.set(id, { ...one, id });
  }
  let workers = Array.from({ length: WORKERS }, () => new Worker(world));
  let [kills, cycles] = [0, 0];
  let queue = new Map<string, number>();
  const add = (): void => {
    for (const id of owed.keys()) if (!queue.has(id)) queue.set(id, 0);
  };
  add();
  while (owed.size > 0) {
    world.clock.time += 60_000;
    if (world.chance(0.02)) queue = new Map();
    if (world.chance(0.1)) world.down = !world.down;
    add();
    const due = [...queue].filter(([, at]) => at <= world.clock.now()).map(([id]) => id);
    for (let n = 0; n < due.length; n += WORKERS) {
      const jobs = due.slice(n, n + WORKERS);
      await Promise.all(
        jobs.map(async (id, i) => {
          const notification = owed.get(id);
          const worker = workers[i];
          if (notification === undefined || worker === undefined) return;
          cycles++;
          const job: NotificationJob = { notification };
          const outcome = await worker.sender.handle(job, { id, attempt: 1 });
          // What a dead one answers, the queue never hears: the job is there still.
          if (worker.killed) return;
          if (typeof outcome === 'string') queue.delete(id);
          else queue.set(id, outcome.again);
        }),
      );
      workers = workers.map((worker) => {
        if (!worker.killed) return worker;
        kills++;
        world.windows += worker.inWindow.size;
        return new Worker(world);
      });
    }
    for (const [id, { entry }] of world.store.rows) if (entry.state !== 'queued') owed.delete(id);
  }
  const times = [...world.delivered.values()];
  const duplicates = times.reduce((sum, each) => sum + each - 1, 0);
  expect(world.late).toBe(0);
  expect(world.delivered.size).toBe(count);
  expect([...world.store.rows.values()].every(({ entry }) => entry.state === 'sent')).toBe(true);
  // Twice only where the ledger did not hear of the server's answer: its worker died, or the ledger was away.
  expect(duplicates).toBeLessThanOrEqual(world.windows);
  return { cycles, kills, duplicates };
}

describe('every owed mail is sent once', () => {
  it(`over random crashes of workers, wiped queues and failures of the server (${String(CYCLES)} cycles)`, async () => {
    const next = random(SEED);
    const sum = { cycles: 0, kills: 0, duplicates: 0 };
    while (sum.cycles < CYCLES) {
      const done = await round(LONG ? ROUND : 150, next);
      sum.cycles += done.cycles;
      sum.kills += done.kills;
      sum.duplicates += done.duplicates;
    }
    expect(sum.kills).toBeGreaterThan(0);
    process.stdout.write(
      `seed ${String(SEED)}: ${String(sum.cycles)} cycles, ${String(sum.kills)} workers killed, ${String(sum.duplicates)} sent twice in the window between 250 and commit\n`,
    );
  }, 7_200_000);
});
