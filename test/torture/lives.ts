import { setTimeout as sleep } from 'node:timers/promises';
import { spawnGateway, type SpawnedGateway } from '../support/gateway.js';
import type { TestRedis } from '../support/redis.js';
import { until } from '../support/until.js';
import type { Load } from './load.js';
import { backends, LIFE, postmaster, type TortureSite } from './places.js';
import type { Random } from './random.js';

export type Victim =
  'gateway at work' | 'gateway at its start' | 'gateway at its stop' | 'redis' | 'postmaster' | 'backend';

export interface Kill {
  readonly victim: Victim;
  /** ms since the epoch, when the signal was sent. */
  readonly at: number;
  /** Name of the gateway's life in which it was. */
  readonly life: string;
}

export interface LivesOptions {
  readonly site: TortureSite;
  readonly load: Load;
  readonly random: Random;
  /** Kills of the gateway. */
  readonly kills: number;
  readonly redis: TestRedis | undefined;
  /** Longest life under load, ms. */
  readonly longest: number;
  /** Messages that a life acknowledges at least before its time is measured: a busy machine may take long for them. */
  readonly least: number;
  /** Takes all that the gateways log. */
  readonly log: string[];
  /** Told after each life, with the kills of gateways so far. */
  readonly onProgress?: (kills: number) => void;
}

/** Writes a kill down that is about to be. @returns what takes it back */
type NoteKill = (victim: Victim) => () => void;

/** Starts and kills the gateway until it was killed as often as is wanted. What it stands on is killed now and then. */
export async function live(options: LivesOptions): Promise<Kill[]> {
  const kills: Kill[] = [];
  const ofGateway = (): number => kills.filter(({ victim }) => victim.startsWith('gateway')).length;
  for (let number = 1; ofGateway() < options.kills; number += 1) {
    await oneLife(options, kills, nameOf(number));
    options.onProgress?.(ofGateway());
  }
  return kills;
}

/** The gateway gives it to servers with EHLO, so that they know which of its lives they speak to. */
export function nameOf(life: number | 'last'): string {
  return `life-${life}.example.org`;
}

async function oneLife(options: LivesOptions, kills: Kill[], life: string): Promise<void> {
  const gateway = spawnGateway(options.site, { [LIFE]: life });
  const note = (victim: Victim): (() => void) => {
    const kill = { victim, at: Date.now(), life };
    kills.push(kill);
    return () => void kills.splice(kills.indexOf(kill), 1);
  };
  try {
    await liveAndDie(gateway, options, note);
  } finally {
    options.log.push(...gateway.log);
  }
}

/** Lines of the log that are errors. */
export function errorsIn({ log }: Pick<SpawnedGateway, 'log'>): string[] {
  return log.filter((line) => line.includes('"level":50'));
}

async function liveAndDie(
  gateway: SpawnedGateway,
  { site, load, random, redis, longest, least }: LivesOptions,
  note: NoteKill,
): Promise<void> {
  const kill = async (victim: Victim): Promise<void> => {
    load.port = undefined;
    note(victim);
    await gateway.kill();
  };
  gateway.ready.catch(() => undefined);
  if (random.chance(0.15)) {
    await sleep(random.between(50, 1500));
    // A fast machine takes it up meanwhile: then it is idle.
    await kill('gateway at its start');
    return;
  }
  load.port = await gateway.ready;
  const enough = load.acknowledged.length + random.between(least, 10);
  await until('mail', async () => await Promise.resolve(load.acknowledged.length >= enough), 120_000);
  if (random.chance(0.2)) await killBelow(site.data, random, redis, note);
  await sleep(random.between(50, longest));
  if (random.chance(0.75)) {
    await kill('gateway at work');
    return;
  }
  load.port = undefined;
  const stopped = gateway.stop();
  await Promise.race([stopped, sleep(random.between(0, 700))]);
  if (gateway.process.exitCode === null) await kill('gateway at its stop');
  else expectClean(gateway);
}

export function expectClean(gateway: SpawnedGateway): void {
  if (gateway.process.exitCode !== 0)
    throw new Error(`a stop ended with ${String(gateway.process.exitCode)}:\n${gateway.log.slice(-20).join('\n')}`);
}

/** Kills what the gateway stands on, which comes back: the database by the gateway itself, Redis by its own supervision. */
async function killBelow(data: string, random: Random, redis: TestRedis | undefined, note: NoteKill): Promise<void> {
  await sleep(random.between(0, 400));
  const victims: readonly [Victim, ...Victim[]] =
    redis === undefined ? ['postmaster', 'backend'] : ['redis', 'redis', 'postmaster', 'backend'];
  const victim = random.pick(victims);
  if (victim === 'redis' && redis !== undefined) {
    note(victim);
    await redis.stop();
    await sleep(random.between(0, 400));
    await redis.start();
    return;
  }
  const [first, ...rest] = victim === 'backend' ? backends(data) : [postmaster(data)];
  if (first === undefined) return;
  const forget = note(victim);
  try {
    process.kill(random.pick([first, ...rest.filter((pid) => pid !== undefined)]), 'SIGKILL');
  } catch (error) {
    // It has ended by itself: a connection that was given up.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
    forget();
  }
}

/** Lets a gateway run until nothing is left to do, and stops it. @param all takes what it logs @returns ms that it took */
export async function quiet(
  site: TortureSite,
  left: () => Promise<readonly string[]>,
  patience: number,
  all: string[],
): Promise<number> {
  const begin = Date.now();
  const gateway = spawnGateway(site, { [LIFE]: nameOf('last') });
  await gateway.ready;
  let names: readonly string[] = [];
  try {
    await until('quiet', async () => (names = await left()).length === 0, patience);
  } catch (error) {
    const log = gateway.log.slice(-40).join('\n');
    await gateway.kill();
    throw new Error(`not settled: ${names.slice(0, 20).join(' ')}\n${log}`, { cause: error });
  }
  const took = Date.now() - begin;
  await gateway.stop();
  all.push(...gateway.log);
  expectClean(gateway);
  return took;
}
