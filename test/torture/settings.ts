/** How the torture runs: in the short form of `npm test`, or as `npm run torture` says. */
export interface TortureSettings {
  readonly long: boolean;
  readonly seed: number;
  /** Kills of the gateway, for each queue. */
  readonly kills: number;
  /** Reloads under load. */
  readonly reloads: number;
  /** How long a fleet is spoiled, minutes. */
  readonly minutes: number;
  /** Only this queue, `embedded` or `redis`. */
  readonly queue: string | undefined;
}

/** @param shortKills kills in the short form @param shortSeed its seed, for the same choices each time */
export function tortureSettings(shortKills: number, shortSeed?: number): TortureSettings {
  const { TORTURE, TORTURE_SEED, TORTURE_KILLS, TORTURE_RELOADS, TORTURE_QUEUE, TORTURE_MINUTES } = process.env;
  const long = TORTURE === 'long';
  return {
    long,
    seed: Number(TORTURE_SEED ?? (long || shortSeed === undefined ? Math.floor(Math.random() * 2 ** 31) : shortSeed)),
    kills: TORTURE_KILLS === undefined ? (long ? 300 : shortKills) : Number(TORTURE_KILLS),
    reloads: TORTURE_RELOADS === undefined ? (long ? 1000 : 6) : Number(TORTURE_RELOADS),
    minutes: Number(TORTURE_MINUTES ?? '10'),
    queue: TORTURE_QUEUE,
  };
}
